"""House traders, seeds and a manual clock."""
