"""Other order books over the same streams, side by side in one run: `python -m benchmarks.peers`."""
