"""The comparison of an account with the database: at start, after every gap, and now and then.

What the exchange says of each order that has not ended is heard by its bot like any other news; orders that bear our
prefix and are not known are adopted by the deal that their id names, or reported as stray; where the deals hold more of
an asset than the account does, they bear a little that is missing, and for more their bots stop and ask.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from dcacore.application import telling
from dcacore.application.engine.comparing_holdings import compare_holdings
from dcacore.application.engine.comparing_orders import compare_pair
from dcacore.application.engine.comparing_testnet import look_for_reset
from dcacore.application.engine.desk import Desk
from dcacore.application.engine.findings import Findings
from dcacore.application.engine.wire import Wire
from dcacore.application.telling import News
from dcacore.domain.notes import Level
from dcacore.ports.identity import Occasion
from dcacore.ports.live import Notified
from dcacore.ports.records import Environment, Notification, Reconciliation
from dcacore.ports.store import Work


async def compare(desk: Desk, wires: Sequence[Wire], cause: str) -> Findings:
    """Compare what the exchange holds for *wires* with what they know; return, and store, what was found.

    Raises:
        PortError: the exchange could not be asked, or the database not be written; nothing is left half done that the
            next comparison does not finish.
    """
    findings = Findings()
    if desk.account.environment is Environment.TESTNET:
        await look_for_reset(desk, findings)
    by_pair: defaultdict[str, list[Wire]] = defaultdict(list)
    for wire in wires:
        for pair in {wire.runner.market.pair, *(intent.pair for intent in wire.runner.unsettled)}:
            by_pair[pair].append(wire)
    for pair, traders in sorted(by_pair.items()):
        await compare_pair(desk, pair, traders, findings)
    await compare_holdings(desk, findings)
    if findings or cause != "periodic":
        async with desk.around.store.begin() as work:
            news = await _news(desk, findings, work)
            await work.feed.add_reconciliation(
                Reconciliation(
                    account_id=desk.account.id,
                    at=desk.around.clock.now(),
                    cause=cause,
                    adopted=tuple(findings.adopted),
                    filled=tuple(findings.filled),
                    gone=tuple(findings.gone),
                    stray=tuple(findings.stray),
                    differences=tuple(findings.differences),
                )
            )
            if news:
                await telling.tell(work, desk.account.user_id, desk.account.id, news, desk.around.post)
            await work.commit()
        if news:
            desk.around.live.say(Notified(desk.account.user_id))
    return findings


async def _news(desk: Desk, findings: Findings, work: Work) -> list[News]:
    """Return what the user should know of: what differs otherwise than at the comparison before, and stray orders."""
    before = [it for found in await work.feed.reconciliations(desk.account.id, limit=1) for it in found.differences]
    texts = [it for it in findings.differences if it not in before]
    texts += [f"order {it} rests or has traded there, and no bot knows it" for it in findings.stray]
    return [
        News(
            Occasion.RECONCILIATION,
            Notification(
                user_id=desk.account.user_id,
                at=desk.around.clock.now(),
                kind=Occasion.RECONCILIATION.value,
                text=f"{desk.account.name}: {text}",
                level=Level.WARNING,
            ),
        )
        for text in texts
    ]
