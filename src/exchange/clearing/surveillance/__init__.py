"""Surveillance as a part of clearing's process: its consumer, its store, its REST."""
