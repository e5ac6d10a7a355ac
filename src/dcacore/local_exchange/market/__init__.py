"""What everybody sees of a market: trades, candles, the book, the statistics of a day."""
