"""The core of the reporter: book, tape, statistics and candles built from events, pure."""
