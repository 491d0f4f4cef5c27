"""The core of the engine: order book, matcher and venue, pure."""
