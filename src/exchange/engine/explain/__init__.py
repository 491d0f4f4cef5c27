"""Why an order fared as it did, told from a replay of history beside the engine."""
