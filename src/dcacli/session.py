"""What the commands that need the database have in common: settings, whose it is, JSON, waiting for an engine."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from dcacli.errors import INTERRUPTED, REFUSED, complain

if TYPE_CHECKING:
    from dcacore.application.asking import Outcome
    from dcacore.bootstrap.app import App
    from dcacore.ports.records import Request, User
    from dcacore.settings import Settings

T = TypeVar("T")
Command = Callable[..., None]

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
yes = click.option("--yes", "is_sure", is_flag=True, help="Do not ask whether that is meant.")
yes_live = click.option(
    "--yes-live", "is_live_meant", is_flag=True, help="Do not ask for the bot's name: real money may be spent."
)
whose = click.option(
    "--user",
    "email",
    envvar="DCA_USER",
    show_envvar=True,
    metavar="EMAIL",
    help="Whose. Default: the only user there is.",
)


@attrs.frozen
class Mine:
    """The application, and the user for whom a command is carried out."""

    app: App
    user: User


def settings() -> Settings:
    """Return what the environment sets.

    Raises:
        BadSetting: a value cannot be used.
    """
    import os

    from dcacore.settings import Settings

    return Settings.from_env(os.environ)


def in_app(work: Callable[[App], Coroutine[Any, Any, T]], *, may_create: bool = False) -> T:
    """Return what *work* returns, carried out with the application of the settings.

    Args:
        work: gets the application.
        may_create: whether a SQLite database that is not there yet is made.
    """
    chosen = settings()  # what is wrong there is told before anything slow is imported
    import asyncio

    from dcacore.bootstrap.app import open_app

    async def opened() -> T:
        async with open_app(chosen, may_create=may_create) as app:
            return await work(app)

    return asyncio.run(opened())


def as_user(email: str | None, work: Callable[[Mine], Coroutine[Any, Any, T]]) -> T:
    """Return what *work* returns, carried out for the user with that address, or for the only one."""
    from dcacore.application import users

    async def found(app: App) -> T:
        return await work(Mine(app, await users.find(app.store, email or None)))

    return in_app(found)


def confirm(question: str, *, is_sure: bool) -> None:
    """Ask whether *question* is meant, unless that is sure; end the command when it is not."""
    if is_sure:
        return
    with _asking():
        means_it = click.confirm(question, err=True)
    if not means_it:
        complain("nothing was done")
        raise SystemExit(REFUSED)


@contextmanager
def _asking() -> Iterator[None]:
    """Yield once, to ask something: Ctrl-C then ends the command with 130, and the end of all input with 1.

    In a coroutine the first Ctrl-C would only be noted, and the prompt would go on waiting.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except click.Abort as exc:
        click.echo(err=True)  # the cursor stands behind the question
        if not isinstance(exc.__context__, EOFError):
            raise SystemExit(INTERRUPTED) from None
        complain("nothing was done")
        raise SystemExit(REFUSED) from None
    finally:
        signal.signal(signal.SIGINT, before)


def typed(question: str) -> str:
    """Ask for something that is shown while it is typed."""
    with _asking():
        return str(click.prompt(question, err=True))


def hidden(question: str, instead: str, *, is_new: bool = False) -> str:
    """Ask for a secret, which is not shown while it is typed.

    Args:
        question: what to ask for.
        instead: the variable that may be set where there is no terminal to ask at.
        is_new: whether it is asked for twice.
    """
    import getpass
    import warnings

    with _asking(), warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # it would be shown
        try:
            return str(click.prompt(question, hide_input=True, confirmation_prompt=is_new, err=True))
        except getpass.GetPassWarning:
            raise click.UsageError(f"there is no terminal to ask at: set {instead}") from None


# ------------------------------------------------------------------------------------------------------------ requests


def carry_out(mine_email: str | None, ask: Callable[[Mine], Coroutine[Any, Any, Request]], *, as_json: bool) -> None:
    """Store the request that *ask* makes, wait for an engine to deal with it, and tell what came of it.

    A request that is refused ends the command with 1. One that no engine has taken up stays, and is told of.
    """

    async def work(mine: Mine) -> dict[str, Any]:
        return await settled(mine, await ask(mine))

    tell([as_user(mine_email, work)], as_json=as_json)


async def settled(mine: Mine, request: Request) -> dict[str, Any]:
    """Return, as JSON has it, what became of *request*."""
    from dcacore.application import bots
    from dcacore.domain.bot import shown_state

    outcome = await mine.app.wait_for(request)
    record = await bots.find(mine.app.store, mine.user.id, request.bot_id)
    return {
        "request": request.id,
        "bot": record.name,
        "bot_id": record.bot.id,
        "kind": request.kind.value,
        "status": _status(outcome),
        "refusal": outcome.request.refusal,
        "engine_alive": outcome.is_engine_alive,
        "state": shown_state(record.bot),
    }


def _status(outcome: Outcome) -> str:
    from dcacore.ports.records import RequestKind

    if not outcome.is_settled:
        return "waiting"
    if outcome.request.refusal:
        return "refused"
    # The engine has planned an order: whether the exchange takes it is known only later.
    return "asked" if outcome.request.kind is RequestKind.ADD_FUNDS else "done"


def tell(results: list[dict[str, Any]], *, as_json: bool, is_list: bool = False) -> None:
    """Print what became of requests; end with 1 when one was refused."""
    if as_json:
        click.echo(json.dumps({"requests": results} if is_list else results[0]))
    for result in results:
        what = f"{result['bot']}: {result['kind'].replace('_', ' ')}"
        if result["status"] == "refused":
            complain(f"{what}: refused: {result['refusal']}")
        elif as_json:
            continue
        elif result["status"] == "asked":
            click.echo(f"{what}: asked: the order is on its way; `dca deal show` tells how it went")
        elif result["status"] == "done":
            click.echo(f"{what}: done; the bot is {result['state'].replace('_', ' ')}")
        elif result["engine_alive"]:
            click.echo(f"{what}: stored; the engine has not come to it yet")
        else:
            click.echo(f"{what}: stored; no engine runs: it will be carried out once one does (dca worker)")
    if any(result["status"] == "refused" for result in results):
        raise SystemExit(REFUSED)
