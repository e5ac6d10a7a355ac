"""The WebSocket API: requests over a socket, and the events of accounts."""
