"""The words of the exchange: units, symbols, orders, trades, reasons, commands and events."""
