"""The core of surveillance: patterns of abuse, found in the event stream by pure state machines."""
