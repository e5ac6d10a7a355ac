"""Webhooks: what is signed is read, whatever it says; what is not is refused, whatever it is."""

from __future__ import annotations

import base64
import contextlib
import datetime
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcacore.adapters.polar import PolarHooks
from dcacore.domain.entitlement import SubscriptionState
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.ports.billing import BillingEvent
from dcacore.ports.errors import BadFile, BadSignature
from tests.polar.signing import Scheme, key_of, signature, signed_headers
from tests.polar.world import SECRET, Delivery, PolarWorld
from tests.strategies import NOON
from tests.unit.simulated.clock import ManualClock

ANNA = UserId("anna4567")
OLD_SECRET = "polar_whs_an-older-secret-of-any-text-é"
NEXT_SECRET = "whsec_" + base64.b64encode(b"the-secret-after-the-present-one").decode()
BODY = b'{"type": "subscription.updated", "timestamp": "2024-01-01T12:00:00Z", "data": {}}'
HOOKS = PolarHooks([SECRET])

Headers = dict[str, str]


def headers(**changed: str | None) -> Headers:
    """Return the headers of BODY, some of them other ones or left out."""
    found: dict[str, str | None] = {**signed_headers(SECRET, "evt-1", NOON, BODY)}
    found |= {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in found.items() if value is not None}


def read(hooks: PolarHooks, delivery: Delivery) -> BillingEvent:
    return hooks.verified(delivery.headers, delivery.body, NOON)


@pytest.mark.parametrize(
    ("secret", "scheme"),
    [
        (SECRET, Scheme.STANDARD),
        (SECRET, Scheme.WHOLE),
        (OLD_SECRET, Scheme.WHOLE),
        ("whsec_" + "a1b2c" * 5, Scheme.WHOLE),
    ],
)
def test_both_schemes_are_read(secret: str, scheme: Scheme, clock: ManualClock) -> None:
    world = PolarWorld(clock, secret=secret, scheme=scheme)
    delivery = world.buy(ANNA)[0]
    event = PolarHooks([secret]).verified(delivery.headers, delivery.body, clock.now())
    assert (event.id, event.type) == (delivery.id, "checkout.created")
    assert event.user_id == ANNA


@pytest.mark.parametrize("scheme", Scheme)
def test_while_secrets_change_both_are_taken(scheme: Scheme) -> None:
    hooks = PolarHooks([NEXT_SECRET, SECRET])
    for secret in (SECRET, NEXT_SECRET):
        assert hooks.verified(signed_headers(secret, "evt-1", NOON, BODY, scheme), BODY, NOON).id == "evt-1"
    with pytest.raises(BadSignature):
        PolarHooks([NEXT_SECRET]).verified(headers(), BODY, NOON)


def test_one_good_signature_among_several_is_enough() -> None:
    good = headers()["webhook-signature"]
    other = signature(b"another key", "evt-1", headers()["webhook-timestamp"], BODY)
    for several in (
        f"{other} {good}",
        f"{good} {other}",
        f"v1a,abc {good}",
        f"  {good} ",
        f"v1,%% {good}",
        f", {good}",
    ):
        assert HOOKS.verified(headers(webhook_signature=several), BODY, NOON).id == "evt-1"


def test_f88_what_is_forged_changed_or_old_is_refused() -> None:
    right = headers()
    timestamp = right["webhook-timestamp"]
    taken: list[str] = []
    attacks: dict[str, tuple[Headers, bytes]] = {
        "another body": (right, BODY + b" "),
        "written anew": (right, json.dumps(json.loads(BODY), separators=(",", ":")).encode()),
        "another id": (headers(webhook_id="evt-2"), BODY),
        "another time": (headers(webhook_timestamp=str(int(timestamp) + 1)), BODY),
        "another key": (headers(webhook_signature=signature(b"guess", "evt-1", timestamp, BODY)), BODY),
        "no key": (headers(webhook_signature=signature(b"", "evt-1", timestamp, BODY)), BODY),
        "another version": (headers(webhook_signature=right["webhook-signature"].replace("v1,", "v2,")), BODY),
        "a part of it": (headers(webhook_signature=right["webhook-signature"][:-8]), BODY),
        "moved": (headers(webhook_id="evt", webhook_timestamp=f"1.{timestamp}"), BODY),
        "nothing": ({}, BODY),
    }
    for name, (given_headers, body) in attacks.items():
        with contextlib.suppress(BadSignature):
            HOOKS.verified(given_headers, body, NOON)
            taken.append(name)
    assert taken == []


@pytest.mark.parametrize(
    ("late_s", "is_taken"), [(0, True), (300, True), (301, False), (-300, True), (-301, False), (1e8, False)]
)
def test_f88_a_signature_is_good_for_five_minutes(late_s: float, is_taken: bool) -> None:
    now = NOON + datetime.timedelta(seconds=late_s)
    if is_taken:
        assert HOOKS.verified(headers(), BODY, now).told_at == NOON
    else:
        with pytest.raises(BadSignature, match="of another time"):
            HOOKS.verified(headers(), BODY, now)


ODD_TEXTS = [
    None,
    "",
    " ",
    "é",
    "\x00",
    "٣",
    "-1",
    "1e9",
    "+5",
    "0x1",
    "9" * 12,
    "9" * 13,
    "v1",
    "v1,",
    ",",
    "v1,=",
    "v1,é",
    "v1,a",
]


@pytest.mark.parametrize(
    "odd", [*ODD_TEXTS, "v1," + "A" * 5_000, "x" * 200_000, "\udcff", "v1,\udcff"], ids=lambda it: ascii(it)[:12]
)
@pytest.mark.parametrize("name", ["webhook_id", "webhook_timestamp", "webhook_signature"])
def test_f88_odd_headers_are_refused(name: str, odd: str | None) -> None:
    with pytest.raises(BadSignature):
        HOOKS.verified(headers(**{name: odd}), BODY, NOON)


TEXTS = st.text(max_size=50) | st.sampled_from([it or "" for it in ODD_TEXTS])


@given(
    given_headers=st.dictionaries(
        st.sampled_from(["webhook-id", "webhook-timestamp", "webhook-signature", "other"]), TEXTS
    ),
    body=st.binary(max_size=100),
)
def test_f88_no_stranger_causes_anything_but_a_refusal(given_headers: Headers, body: bytes) -> None:
    with pytest.raises(BadSignature):
        HOOKS.verified(given_headers, body, NOON)


@given(signatures=st.lists(TEXTS | st.binary(max_size=40).map(lambda it: "v1," + base64.b64encode(it).decode())))
def test_f88_no_signature_is_guessed(signatures: list[str]) -> None:
    with pytest.raises(BadSignature):
        HOOKS.verified(headers(webhook_signature=" ".join(signatures)), BODY, NOON)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"7", b"null", b'"a"', b"{}", b'{"type": 7}', b'{"type": ""}', b'{"type": null, "data": {}}',
     b'{"type": "a\\u0000b"}', b'{"type": "\\ud800"}', b"\xff\xfe", b"[" * 60_000, b"9" * 60_000,
     b'{"type": "' + b"x" * 101 + b'"}'],
    ids=lambda it: repr(it[:20]),
)  # fmt: skip
def test_what_is_signed_but_no_event(body: bytes) -> None:
    with pytest.raises(BadFile, match="the webhook: is no event"):
        HOOKS.verified(signed_headers(SECRET, "evt-1", NOON, body), body, NOON)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = ["id", "status", "product_id", "created_at", "modified_at", "customer", "customer_id", "external_id", "amount",
         "external_customer_id", "current_period_end", "past_due_at", "ends_at", "cancel_at_period_end"]  # fmt: skip


@given(
    kind=st.sampled_from(["subscription.updated", "customer.created", "order.paid", "nobody.knows"]) | JSON,
    data=st.dictionaries(st.sampled_from(NAMES), JSON) | JSON,
)
def test_whatever_is_signed_is_an_event_or_no_event(kind: object, data: object) -> None:
    body = json.dumps({"type": kind, "data": data}).encode()
    try:
        event = HOOKS.verified(signed_headers(SECRET, "evt-1", NOON, body), body, NOON)
    except BadFile:
        assert not isinstance(kind, str) or not kind or not kind.isprintable()
        return
    stored = (event.id, event.type, event.user_id or "", event.customer_id)
    assert all(it.isprintable() and it.encode() is not None for it in stored)


@given(data=st.dictionaries(st.sampled_from(NAMES), JSON))
def test_a_subscription_with_odd_fields_is_read_or_left_out(data: dict[str, object]) -> None:
    world = PolarWorld(ManualClock())
    world.buy(ANNA)
    good = world.subscription_shape(world.subscription_of(ANNA).id)
    event = read(HOOKS, world.deliver("subscription.updated", good | data))
    if event.subscription is not None:
        assert isinstance(event.subscription.state, SubscriptionState)
        assert event.subscription.changed_at.tzinfo is datetime.UTC


def story(act: Callable[[PolarWorld], object]) -> tuple[PolarWorld, Callable[[], tuple[BillingEvent, ...]]]:
    world = PolarWorld(ManualClock())
    world.buy(ANNA)
    deliveries = act(world)
    assert isinstance(deliveries, tuple)
    return world, lambda: tuple(read(HOOKS, it) for it in deliveries)


STORIES: dict[str, tuple[Callable[[PolarWorld], object], list[str], SubscriptionState]] = {
    "renew": (lambda it: it.renew(ANNA), ["cycled", "updated"], SubscriptionState.ACTIVE),
    "fail": (lambda it: it.fail_charge(ANNA), ["cycled", "updated", "updated", "past_due"], SubscriptionState.PAST_DUE),
    "cancel": (lambda it: it.cancel(ANNA), ["updated", "canceled"], SubscriptionState.ACTIVE),
    "end": (lambda it: it.end(ANNA), ["updated", "revoked"], SubscriptionState.CANCELED),
    "revoke": (lambda it: it.revoke(ANNA), ["updated", "canceled", "revoked"], SubscriptionState.CANCELED),
    "pause": (lambda it: it.pause(ANNA), ["updated", "paused"], SubscriptionState.PAUSED),
    "refund": (lambda it: it.refund(ANNA), [], SubscriptionState.ACTIVE),
}


@pytest.mark.parametrize("name", STORIES)
def test_stories_are_told_in_order_and_name_whom_they_are_about(name: str) -> None:
    act, kinds, state = STORIES[name]
    world, events = story(act)
    told = [it for it in events() if it.type.startswith("subscription.")]
    assert [it.type.removeprefix("subscription.") for it in told] == kinds
    assert all(it.user_id == ANNA and it.customer_id == world.till.customers[ANNA] for it in told)
    assert world.subscription_of(ANNA).state is state
    if told:
        assert told[-1].subscription == world.subscription_of(ANNA)


def test_a_purchase_is_told_as_polar_tells_it() -> None:
    world = PolarWorld(ManualClock())
    events = [read(HOOKS, it) for it in world.buy(ANNA)]
    assert [it.type for it in events] == [
        "checkout.created", "checkout.updated", "checkout.updated", "customer.created", "subscription.created",
        "subscription.active", "subscription.updated", "order.created", "order.updated", "order.paid",
        "customer.state_changed", "checkout.updated",
    ]  # fmt: skip
    assert {it.user_id for it in events} == {ANNA}
    assert len({it.id for it in events}) == len(events)
    state = events[-2]
    assert (state.customer_id, state.subscription) == (world.till.customers[ANNA], None)


def test_undoing_recovering_and_resuming() -> None:
    world = PolarWorld(ManualClock())
    world.buy(ANNA)
    for before, act, kind in (
        (world.cancel, world.undo, "uncanceled"),
        (world.fail_charge, world.recover, "active"),
        (world.pause, world.resume, "resumed"),
    ):
        before(ANNA)
        events = [read(HOOKS, it) for it in act(ANNA)]
        changes = [it for it in events if it.type.startswith("subscription.")]
        assert [it.type for it in changes] == ["subscription.updated", f"subscription.{kind}"]
        assert changes[-1].subscription == world.subscription_of(ANNA)
        assert world.subscription_of(ANNA).state is SubscriptionState.ACTIVE


def test_sent_again_it_has_its_id_and_a_new_signature() -> None:
    clock = ManualClock()
    world = PolarWorld(clock)
    first = world.buy(ANNA)[0]
    clock.pass_by(3_600)
    with pytest.raises(BadSignature):
        HOOKS.verified(first.headers, first.body, clock.now())
    second = world.again(first)
    event = HOOKS.verified(second.headers, second.body, clock.now())
    assert (event.id, event.told_at) == (first.id, clock.now())


@pytest.mark.parametrize(
    ("kind", "data", "user_id", "customer_id"),
    [
        ("customer.updated", {"id": "77aa", "external_id": "anna4567"}, ANNA, "77aa"),
        ("order.paid", {"id": "1", "customer_id": "77aa", "customer": {"external_id": "anna4567"}}, ANNA, "77aa"),
        ("checkout.updated", {"id": "1", "external_customer_id": "anna4567"}, ANNA, ""),
        ("benefit_grant.created", {"id": "1", "customer": {"id": "77aa", "email": "anna@example.org"}}, None, "77aa"),
        ("product.updated", {"id": "1", "external_id": "anna4567"}, None, ""),
        ("customer.updated", {"id": "77aa", "external_id": None, "email": "anna4567"}, None, "77aa"),
        ("nobody.knows", None, None, ""),
    ],
)
def test_whom_an_event_is_about(kind: str, data: object, user_id: UserId | None, customer_id: str) -> None:
    event = read(HOOKS, PolarWorld(ManualClock()).deliver(kind, data))
    assert (event.type, event.user_id, event.customer_id) == (kind, user_id, customer_id)
    assert event.subscription is None


def test_before_autumn_there_was_no_version_in_it() -> None:
    world = PolarWorld(ManualClock())
    world.api_version = ""
    assert read(HOOKS, world.buy(ANNA)[4]).subscription == world.subscription_of(ANNA)


@pytest.mark.parametrize(
    "secret",
    ["", "canary", "canary with spaces inside", "canary,canary,canary", "whsec_canary%canary%",
     "canary-canary-\x00", "c" * 257, "whsec_"],
)  # fmt: skip
def test_what_is_no_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        PolarHooks([SECRET, secret])
    assert "canary" not in str(refused.value)


def test_without_a_secret_nothing_can_be_read() -> None:
    with pytest.raises(InvalidParameter):
        PolarHooks([])


def test_the_secret_shows_nowhere() -> None:
    assert SECRET not in repr(HOOKS)
    assert key_of(SECRET, Scheme.STANDARD) in HOOKS._keys
