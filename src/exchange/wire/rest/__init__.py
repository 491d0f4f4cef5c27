"""The JSON of the REST and WebSocket interfaces, one file per subject."""
