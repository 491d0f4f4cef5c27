"""The versions of surveillance's store."""
