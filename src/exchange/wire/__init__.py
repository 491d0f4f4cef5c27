"""Bytes without I/O: the fixed-width records and the text of REST."""
