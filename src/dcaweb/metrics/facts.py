"""What there is, counted: bots, orders, mail, engines and their ways to the exchanges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import version
from typing import Final

import attrs
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dcacore.application import administering
from dcacore.application.administering import Counts
from dcacore.application.connections import Connection
from dcacore.application.engine.tally import Tally
from dcacore.bootstrap.app import App
from dcacore.domain.bot import Phase, TroubleKind
from dcacore.domain.intents import ENDED, IntentState
from dcacore.ports.errors import StoreError

_STATES: Final = (*(it.value for it in TroubleKind), "paused", *(it.value for it in Phase))
_ORDERS: Final = tuple(state for state in IntentState if state not in ENDED)
_MS: Final = 1000


@attrs.frozen(kw_only=True, eq=False)
class _Facts(Collector):
    """What there is at one moment.

    Attributes:
        counts: what the database says; None when it does not answer.
        tally: what the engine of this process has done; None where there is none.
        streams: how many pages are open with a stream of events.
    """

    counts: Counts | None
    tally: Tally | None
    streams: int

    def collect(self) -> Iterator[Metric]:
        """Yield it, metric by metric."""
        told = GaugeMetricFamily("dca_build_info", "The version of the program.", labels=["version"])
        told.add_metric([version("dcabot")], 1)
        yield told
        yield GaugeMetricFamily(
            "dca_database_up", "Whether the database answers.", value=float(self.counts is not None)
        )
        yield GaugeMetricFamily("dca_event_streams", "Pages that are open with a stream.", value=self.streams)
        yield from _of_engine(self.tally)
        if self.counts is not None:
            yield from _of_counts(self.counts)
            yield from _of_engines(self.counts)
            yield from _of_ways(self.counts.machinery.connections)


async def facts_text(app: App, *, streams: int) -> str:
    """Return what there is now, as Prometheus reads it; what the database does not tell now is left out."""
    counts: Counts | None = None
    try:
        counts = await administering.counts(app.store, app.clock)
    except StoreError:
        counts = None
    tally = None if app.engine is None else app.engine.around.tally
    registry = CollectorRegistry()
    registry.register(_Facts(counts=counts, tally=tally, streams=streams))
    return generate_latest(registry).decode()


def _of_engine(tally: Tally | None) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "dca_engine_here", "Whether an engine runs in this process.", value=float(tally is not None)
    )
    if tally is None:
        return
    yield CounterMetricFamily("dca_engine_turns", "Decisions of bots that were stored.", value=tally.turns)
    orders = CounterMetricFamily("dca_engine_orders", "Orders that were sent, by the answer.", labels=["outcome"])
    for outcome, count in (("placed", tally.placed), ("refused", tally.refused), ("unanswered", tally.unanswered)):
        orders.add_metric([outcome], count)
    yield orders


def _of_counts(counts: Counts) -> Iterator[Metric]:
    machinery = counts.machinery
    yield _by("dca_bots", "Bots, by the state that is shown.", "state", {**dict.fromkeys(_STATES, 0), **counts.bots})
    orders = {it.value: counts.orders.get(it, 0) for it in _ORDERS}
    yield _by("dca_orders", "Orders that have not ended, by how far they have come.", "state", orders)
    mail = machinery.mail
    for name, words, value in (
        ("dca_requests_waiting", "Requests of users that wait for an engine.", machinery.requests),
        ("dca_mail_waiting", "Mails that are still to be sent.", mail.waiting),
        ("dca_mail_put_off", "Those of them that have been tried in vain.", mail.put_off),
        ("dca_mail_failed", "Mails that were given up within 30 days.", mail.failed),
        ("dca_mail_oldest_age_seconds", "How long the one has waited that has waited longest.", counts.mail_age_s),
    ):
        yield GaugeMetricFamily(name, words, value=value)


def _of_engines(counts: Counts) -> Iterator[Metric]:
    alive = [it for it in counts.machinery.engines if it.is_alive]
    yield GaugeMetricFamily("dca_engines", "Engines that have reported themselves lately.", value=len(alive))
    yield GaugeMetricFamily("dca_engine_bots", "Bots that they act for.", value=sum(it.record.bots for it in alive))
    if alive:
        words = "How long ago the engine has reported itself that has been silent for longest."
        silent = max(it.silent_s for it in alive)
        yield GaugeMetricFamily("dca_engine_heartbeat_age_seconds", words, value=silent)


def _of_ways(ways: Iterable[Connection]) -> Iterator[Metric]:
    """Yield how the ways to each environment are: of several engines the worst counts."""
    known = tuple(ways)
    for name, words, of in _WAYS:
        worst: dict[str, float] = {}
        for way in known:
            value = of(way)
            if value is not None:
                worst[way.environment.value] = max(value, worst.get(way.environment.value, value))
        yield _by(f"dca_exchange_{name}", words, "environment", worst)


_WAYS: Final[tuple[tuple[str, str, Callable[[Connection], float | None]], ...]] = (
    (
        "latency_seconds",
        "How long the exchange takes to answer.",
        lambda it: None if it.health.latency_ms is None else it.health.latency_ms / _MS,
    ),
    (
        "clock_offset_seconds",
        "How far its clock is off, either way.",
        lambda it: None if it.health.clock_offset_ms is None else abs(it.health.clock_offset_ms) / _MS,
    ),
    ("prices_age_seconds", "How long ago the price stream said anything.", lambda it: it.health.prices_age_s),
    ("events_age_seconds", "The same of the stream of account events.", lambda it: it.health.events_age_s),
    ("used_weight", "What is used of the requests of this minute ...", lambda it: it.health.used_weight),
    ("weight_limit", "... and how many there are.", lambda it: it.health.weight_limit),
    ("hold_seconds", "For how long it wants no request at all.", lambda it: it.health.hold_s),
    ("bad_frames", "Frames of prices that could not be believed.", lambda it: it.health.bad_frames),
)


def _by(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    made = GaugeMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        made.add_metric([key], value)
    return made
