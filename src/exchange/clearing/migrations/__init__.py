"""The versions of clearing's store."""
