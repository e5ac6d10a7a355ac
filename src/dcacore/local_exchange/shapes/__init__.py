"""What the exchange's answers and events look like: orders, trades, symbols, accounts."""
