"""Limits and collars an order must pass before it is matched."""
