"""What can be asked, by REST or over a WebSocket: every call is written once."""

from dcacore.local_exchange.endpoints.call import Call, Endpoint, Security
from dcacore.local_exchange.endpoints.tables import REST, WS_API

__all__ = ["REST", "WS_API", "Call", "Endpoint", "Security"]
