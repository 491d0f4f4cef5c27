"""The world outside: configuration, clock, log, files, network, bus and store."""
