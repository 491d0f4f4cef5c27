"""The reporter service: relays market data to anyone subscribed."""
