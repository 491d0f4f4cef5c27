"""A stock exchange in three components: engine, reporter and clearing."""

__version__ = "0.1.0"
