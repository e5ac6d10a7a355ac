"""WebSocket streams: what everybody sees of the markets, and what an account is told of itself."""
