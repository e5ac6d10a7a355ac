"""For whatever watches over the program."""

from __future__ import annotations

from litestar import MediaType, Response, get

from dcacore.ports.errors import StoreError
from dcaweb.requests import WebRequest, app_of


@get("/healthz", media_type=MediaType.TEXT, sync_to_thread=False)
def healthz() -> str:
    """Say that the program answers."""
    return "ok"


@get("/readyz", media_type=MediaType.TEXT)
async def readyz(request: WebRequest) -> Response[str]:
    """Say whether the database can be used."""
    try:
        await app_of(request).store.check()
    except StoreError:
        return Response("the database cannot be used", status_code=503, media_type=MediaType.TEXT)
    return Response("ready", media_type=MediaType.TEXT)
