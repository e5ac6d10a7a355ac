"""The question before a bot spends real money."""

from __future__ import annotations

from collections.abc import Mapping

import click

from dcacli.errors import REFUSED, complain
from dcacli.session import Mine, typed
from dcacli.tables import printable
from dcacore.application import going_live
from dcacore.application.refusals import NotConfirmed


async def agree(mine: Mine, name: str, *, is_meant: bool, changes: Mapping[str, str] | None = None) -> None:
    """Let the user confirm what a bot may spend of real money, where that has to be confirmed; else do nothing.

    Args:
        mine: whose.
        name: the bot.
        is_meant: whether that is sure, and its name is not to be typed.
        changes: the parameters that it is to have; None when it is to start.
    """
    app = mine.app
    step = await going_live.live_step(app.store, app.venues, user_id=mine.user.id, named=name, changes=changes)
    if step is None:
        return
    for sentence in step.sentences:
        click.echo(printable(sentence), err=True)
    answer = step.record.name if is_meant else typed("Type the bot's name to let it spend that")
    try:
        await going_live.confirm(app.store, app.clock, user_id=mine.user.id, step=step, typed=answer)
    except NotConfirmed:
        complain("that is not its name: nothing was done")
        raise SystemExit(REFUSED) from None
