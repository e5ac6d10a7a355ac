"""The simulated venue in a process of its own, which outlives whoever trades on it, and the client of it.

It listens on the loopback interface only and speaks JSON, one message a line: `{"id", "method", "params"}` is answered
by `{"id", "result"}` or `{"id", "error"}`; `{"event"}` and `{"tick"}` come unasked once they have been subscribed to.
"""

from dcacore.adapters.simulated.process.client import VenueClient
from dcacore.adapters.simulated.process.starting import running_port, start_venue

__all__ = ["VenueClient", "running_port", "start_venue"]
