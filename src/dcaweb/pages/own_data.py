"""Everything that is kept of a user, as one file for the user."""

from __future__ import annotations

from litestar import Controller, post
from litestar.response import Stream

from dcacore.application.own_data import own_data
from dcaweb.requests import WebRequest, app_of
from dcaweb.security.people import me, signed_in
from dcaweb.zipping import zipped


class OwnData(Controller):
    """The export of one's data."""

    path = "/settings/export"
    guards = (signed_in,)

    @post(status_code=200)
    async def export(self, request: WebRequest) -> Stream:
        """Send it as a ZIP file. It is asked for by a form, so that no other site can let a browser ask for it."""
        app = app_of(request)
        files = await own_data(app.identity, me(request).id)
        now = app.clock.now()
        headers = {"content-disposition": f'attachment; filename="dca-{now:%Y-%m-%d}.zip"'}
        return Stream(zipped(files, now), media_type="application/zip", headers=headers)
