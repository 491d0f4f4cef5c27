"""The versions of the reporter's store."""
