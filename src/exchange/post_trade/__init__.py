"""The core of clearing: rules, netting, positions, ledger and settlement, pure."""
