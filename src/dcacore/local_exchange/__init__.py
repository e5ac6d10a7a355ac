"""A local exchange: Binance's wire over the simulated venue, and what moves its markets."""
