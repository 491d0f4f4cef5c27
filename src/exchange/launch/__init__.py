"""All three components in one process."""
