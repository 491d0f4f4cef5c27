"""The engine service: takes orders, sequences them, matches and publishes events."""
