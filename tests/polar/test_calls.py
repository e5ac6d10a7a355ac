"""Whatever Polar answers, or does not: a call ends in time, in words of ours."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcacore.adapters.polar import Patience, PolarAccess, PolarBilling
from dcacore.adapters.polar._reading import Fields, Unreadable
from dcacore.adapters.polar._shapes import checkout_of, payment_of, subscription_of
from dcacore.domain.entitlement import Standing, SubscriptionState, Terms, entitlement
from dcacore.domain.errors import InvalidParameter
from dcacore.domain.ids import UserId
from dcacore.ports.billing import CheckoutState, PaymentState
from dcacore.ports.errors import BadCredentials, PortError, RateLimited, Rejected, Unavailable
from tests.polar.server import DROPS, HANGS, HTML, TOKEN, Fault, PolarServer
from tests.polar.shapes import Json
from tests.polar.world import PRODUCT, PolarWorld
from tests.unit.simulated.clock import ManualClock

ANNA, BERT = UserId("anna4567"), UserId("bert4567")
TRIES = 3

Call = Callable[[PolarBilling], Awaitable[object]]


def begin(billing: PolarBilling, email: str = "anna@example.org") -> Awaitable[object]:
    return billing.begin_checkout(ANNA, email=email, success_url="http://h/d", return_url="http://h/", address="::1")


ASKING: dict[str, Call] = {
    "checkout": lambda billing: billing.checkout("00000000-0000-4000-8000-000000000001"),
    "subscriptions": lambda billing: billing.subscriptions(ANNA),
    "payments": lambda billing: billing.payments(ANNA),
    "invoice": lambda billing: billing.invoice("00000000-0000-4000-8000-000000000004"),
}
TELLING: dict[str, Call] = {
    "begin_checkout": begin,
    "portal": lambda billing: billing.portal(ANNA, return_url="http://h/"),
    "set_ending": lambda billing: billing.set_ending("00000000-0000-4000-8000-000000000003", ends=True),
}
CALLS = ASKING | TELLING

FAILURES = {
    "500": (Fault(status=500), "fails .HTTP 500"),
    "html-502": (Fault(status=502, body=HTML, headers={"content-type": "text/html"}), "fails .HTTP 502"),
    "html-200": (Fault(status=200, body=HTML), "cannot be read: it is no JSON"),
    "half-json": (Fault(status=200, body='{"items": ['), "cannot be read: it is no JSON"),
    "deep-json": (Fault(status=200, body="[" * 200_000), "cannot be read: it is no JSON"),
    "dropped": (Fault(status=DROPS), "breaks off its answer"),
    "hangs": (Fault(status=HANGS), "does not answer in time"),
    "408": (Fault(status=408), "fails .HTTP 408"),
}


def no_canary(error: BaseException) -> bool:
    seen: list[str] = []
    at: BaseException | None = error
    while at is not None:
        seen += [str(at), repr(at)]
        at = at.__cause__ or at.__context__
    return "canary" not in "".join(seen)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("call", CALLS)
async def test_f83_every_failure_of_every_call_is_said_in_time(
    call: str, failure: str, *, billing: PolarBilling, hasty: PolarBilling, server: PolarServer, world: PolarWorld
) -> None:
    world.buy(ANNA)
    fault, words = FAILURES[failure]
    server.faults.extend([fault] * TRIES)
    with pytest.raises(Unavailable, match=f"^Polar.*{words}") as failed:
        await CALLS[call](hasty if failure == "hangs" else billing)
    assert no_canary(failed.value)
    assert len(server.asked) == (TRIES if call in ASKING else 1)  # what changes something goes out once


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("call", ["checkout", "subscriptions", "payments"])
async def test_a_failure_that_passes_is_not_noticed(
    call: str, failure: str, *, billing: PolarBilling, hasty: PolarBilling, server: PolarServer, world: PolarWorld
) -> None:
    world.buy(ANNA)
    server.faults.append(FAILURES[failure][0])
    assert await CALLS[call](hasty if failure == "hangs" else billing)
    assert len(server.asked) == 2


async def test_f83_all_tries_together_have_an_end(server: PolarServer, clock: ManualClock) -> None:
    access = PolarAccess(token=TOKEN, product_id=PRODUCT, server_url=server.url)
    server.faults.extend([Fault(status=HANGS)] * TRIES)
    polar = PolarBilling(access, clock, Patience(silence_s=60, whole_s=0.1))
    with pytest.raises(Unavailable, match="does not answer in time"):
        await polar.subscriptions(ANNA)
    assert len(server.asked) == 1
    await polar.aclose()


async def test_nobody_is_there(clock: ManualClock) -> None:
    polar = PolarBilling(PolarAccess(token=TOKEN, product_id=PRODUCT, server_url="http://127.0.0.1:1"), clock)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await polar.subscriptions(ANNA)
    await polar.aclose()


async def test_a_purchase_whose_answer_is_lost_is_not_begun_twice(
    billing: PolarBilling, server: PolarServer, world: PolarWorld
) -> None:
    server.faults.append(Fault(acts=True, status=DROPS))
    with pytest.raises(Unavailable):
        await begin(billing)
    assert len(world.till.purchases) == 1


async def test_cancelling_again_after_a_lost_answer_finds_it_cancelled(
    billing: PolarBilling, server: PolarServer, world: PolarWorld
) -> None:
    world.buy(ANNA)
    key = world.subscription_of(ANNA).id
    server.faults.append(Fault(acts=True, status=DROPS))
    with pytest.raises(Unavailable):
        await billing.set_ending(key, ends=True)
    assert (await billing.set_ending(key, ends=True)).ends_at is not None


@pytest.mark.parametrize(
    ("retry_after", "pause_s"),
    [
        ("7", 7),
        (None, 60),
        ("Mon, 01 Jan 2024 12:00:30 GMT", 30),
        ("Mon, 01 Jan 2024 11:00:00 GMT", 1),
        ("0", 1),
        ("99999", 600),
        ("soon", 60),
        ("-5", 60),
        ("1" * 400, 60),
        ("Mon, 99 Jan 99999 12:00:30 GMT", 60),
    ],
)
async def test_a_limit_is_kept_to_and_has_an_end(
    retry_after: str | None, pause_s: float, billing: PolarBilling, server: PolarServer, clock: ManualClock
) -> None:
    clock.at = datetime.datetime(2024, 1, 1, 12, 0, 0, tzinfo=datetime.UTC)
    headers = {"retry-after": retry_after} if retry_after else {}
    server.faults.append(Fault(status=429, headers=headers, body="canary-body"))
    for _ in range(2):
        with pytest.raises(RateLimited, match=r"^Polar wants no request before 2024-01-01 12:") as limited:
            await billing.subscriptions(ANNA)
        assert limited.value.retry_at == clock.now() + datetime.timedelta(seconds=pause_s)
    assert len(server.asked) == 1  # the second one did not go out
    clock.at -= datetime.timedelta(days=1)  # a clock that is set back closes nothing for a day
    clock.pass_by(pause_s)
    assert await billing.subscriptions(ANNA) == ()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "body"),
    [(401, "{}"), (403, "{}"), (403, '{"error": "insufficient_scope"}'), (401, HTML), (403, '{"error": 7}')],
)
async def test_a_token_that_is_not_taken_is_the_administrators_matter(
    call: str, status: int, body: str, billing: PolarBilling, server: PolarServer
) -> None:
    server.faults.append(Fault(status=status, body=body))
    with pytest.raises(BadCredentials, match="access token"):
        await CALLS[call](billing)


async def test_a_wrong_token_shows_nowhere(server: PolarServer, clock: ManualClock) -> None:
    access = PolarAccess(token="polar_oat_canary-wrong", product_id=PRODUCT, server_url=server.url)
    polar = PolarBilling(access, clock)
    with pytest.raises(BadCredentials) as refused:
        await polar.subscriptions(ANNA)
    assert no_canary(refused.value)
    assert "canary" not in repr((access, polar, vars(polar), vars(polar._wire), polar._wire._client.headers))
    await polar.aclose()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [400, 405, 409, 410, 418, 451])
async def test_other_refusals_are_said_in_words_of_ours(
    call: str, status: int, billing: PolarBilling, server: PolarServer
) -> None:
    server.faults.append(Fault(status=status, body='{"error": "canary-name", "detail": "canary-body"}'))
    with pytest.raises(Rejected) as refused:
        await CALLS[call](billing)
    assert no_canary(refused.value)


@pytest.mark.parametrize("status", [301, 307, 308])
async def test_nobody_is_sent_elsewhere(status: int, billing: PolarBilling, server: PolarServer) -> None:
    server.faults.append(Fault(status=status, headers={"location": f"{server.url}/v1/elsewhere"}))
    with pytest.raises(Unavailable, match="POLAR_SERVER_URL may be wrong"):
        await billing.subscriptions(ANNA)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("SubscriptionLocked", 409, "being changed elsewhere"),
        ("AlreadyCanceledSubscription", 403, "has ended, or is going to end"),
        ("PaymentFailed", 402, "the payment failed"),
        ("SomethingOfNextYear", 403, "refuses the request .HTTP 403"),
    ],
)
async def test_refusals_that_have_a_name(
    name: str, status: int, words: str, *, billing: PolarBilling, server: PolarServer, world: PolarWorld
) -> None:
    world.buy(ANNA)
    server.faults.append(Fault(status=status, body=f'{{"error": "{name}", "detail": "canary-body"}}'))
    with pytest.raises(Rejected, match=words):
        await billing.set_ending(world.subscription_of(ANNA).id, ends=True)


async def test_what_is_wrong_with_a_purchase(server: PolarServer, billing: PolarBilling, clock: ManualClock) -> None:
    with pytest.raises(Rejected, match="does not take the e-mail address"):
        await begin(billing, email="canary")
    access = PolarAccess(token=TOKEN, product_id="another", server_url=server.url)
    other = PolarBilling(access, clock)
    with pytest.raises(Rejected, match="does not have the product"):
        await begin(other)
    await other.aclose()


@pytest.mark.parametrize("address", ["", "no address", "203.0.113.7, 10.0.0.1", "fe80::1%eth0"])
async def test_an_address_that_is_none_is_not_sent(address: str, billing: PolarBilling, server: PolarServer) -> None:
    await billing.begin_checkout(ANNA, email="a@b.org", success_url="http://h", return_url="http://h", address=address)
    assert "customer_ip_address" not in server.asked[-1].content


def changed(**to: Any) -> Callable[[Any], Any]:
    """Return what gives the fields of an object other values; `...` takes them away."""

    def reshape(it: Any) -> Any:
        items = it.get("items", [it])
        for item in items:
            for name, value in to.items():
                item.pop(name, None)
                if value is not ...:
                    item[name] = value
        return it

    return reshape


async def test_a_state_of_next_year_gives_nothing_and_breaks_nothing(
    billing: PolarBilling, server: PolarServer, world: PolarWorld
) -> None:
    world.buy(ANNA)
    server.faults.append(Fault(reshaped=changed(status="a_state_of_next_year", a_field_of_next_year={"a": [1]})))
    (found,) = await billing.subscriptions(ANNA)
    assert found.state is SubscriptionState.OTHER
    assert found.changed_at == world.subscription_of(ANNA).changed_at
    server.faults.append(Fault(reshaped=changed(status="queued")))
    assert (await billing.payments(ANNA))[0].state is PaymentState.OTHER
    key = next(iter(world.till.purchases))
    server.faults.append(Fault(reshaped=changed(status="pondered")))
    checkout = await billing.checkout(key)
    assert checkout is not None
    assert checkout.state is CheckoutState.OTHER


async def test_what_may_be_missing_is_done_without(
    billing: PolarBilling, server: PolarServer, world: PolarWorld
) -> None:
    world.buy(ANNA)
    needed = {"id", "status", "product_id", "customer", "created_at"}
    optional = {name: ... for name in world.subscription_shape(world.subscription_of(ANNA).id) if name not in needed}
    server.faults.append(Fault(reshaped=changed(**optional)))
    (found,) = await billing.subscriptions(ANNA)
    assert (found.state, found.amount, found.period_end) == (SubscriptionState.ACTIVE, 0, None)
    assert found.changed_at == world.subscription_of(ANNA).changed_at  # made then, and not changed since


async def test_an_end_that_is_only_marked_is_the_end_of_the_period(
    billing: PolarBilling, server: PolarServer, world: PolarWorld
) -> None:
    world.buy(ANNA)
    server.faults.append(Fault(reshaped=changed(cancel_at_period_end=True, ends_at=None)))
    (found,) = await billing.subscriptions(ANNA)
    assert found.ends_at == found.period_end
    assert found.period_end is not None


ODD: list[Any] = [..., None, 7, "", {}, [], True, "x" * 300, "\ud800", "a\x00b", "9999-12-31T23:59:59Z", 10**30]


@pytest.mark.parametrize("odd", ODD, ids=[ascii(it)[:20] for it in ODD])
@pytest.mark.parametrize("name", ["status", "product_id", "created_at", "customer"])
async def test_what_cannot_be_read_gives_nothing_and_hides_nothing(
    name: str, odd: Any, *, billing: PolarBilling, server: PolarServer, world: PolarWorld, clock: ManualClock
) -> None:
    world.buy(ANNA)
    world.end(ANNA)
    world.buy(ANNA)
    good, broken = world.till.subscriptions_of(ANNA)

    def reshape(it: Any) -> Any:
        (item,) = [item for item in it["items"] if item["id"] == broken.id]
        changed(**{name: odd})(item)
        return it

    server.faults.append(Fault(reshaped=reshape))
    found = {it.id: it for it in await billing.subscriptions(ANNA)}
    assert found[good.id].state is SubscriptionState.CANCELED
    assert set(found) == {good.id, broken.id}  # nobody may think that it is gone
    standing = entitlement(found.values(), clock.now(), Terms(product_id=PRODUCT)).standing
    assert standing is Standing.ENDED
    is_word = name in {"status", "product_id"} and odd == "9999-12-31T23:59:59Z"
    assert is_word or found[broken.id].changed_at.year == 1970  # so it replaces nothing that is known


@pytest.mark.parametrize("odd", ODD, ids=[ascii(it)[:20] for it in ODD])
@pytest.mark.parametrize("name", ["past_due_at", "current_period_end", "ends_at", "amount", "currency", "trial_end"])
async def test_odd_details_do_no_harm(
    name: str, odd: Any, *, billing: PolarBilling, server: PolarServer, world: PolarWorld, clock: ManualClock
) -> None:
    world.buy(ANNA)
    world.fail_charge(ANNA)
    server.faults.append(Fault(reshaped=changed(**{name: odd})))
    found = await billing.subscriptions(ANNA)
    for moment in (clock.now(), clock.now() + datetime.timedelta(days=30)):
        assert entitlement(found, moment, Terms(product_id=PRODUCT)).subscription == found[0]
    found[0].currency.encode()


@pytest.mark.parametrize("said", [[], None, 7, "text", {}, {"items": None}, {"items": {}}, {"items": 3}])
async def test_a_list_that_is_none_is_said(said: object, billing: PolarBilling, server: PolarServer) -> None:
    server.faults.extend([Fault(reshaped=lambda _: said)] * 2)
    for call in (billing.subscriptions, billing.payments):
        with pytest.raises(Unavailable, match="cannot be read: it has no items"):
            await call(ANNA)


async def test_items_that_are_none_are_left_out(billing: PolarBilling, server: PolarServer, world: PolarWorld) -> None:
    world.buy(ANNA)
    odd: list[Any] = [None, 7, [], "text", {}, {"id": 7}]

    def reshape(it: Any) -> Any:
        return it | {"items": odd + it["items"]}

    server.faults.append(Fault(reshaped=reshape))
    assert await billing.subscriptions(ANNA) == world.till.subscriptions_of(ANNA)
    server.faults.append(Fault(reshaped=reshape))
    assert await billing.payments(ANNA) == world.till.payments_of(ANNA)


async def test_what_is_anothers_is_never_taken_whatever_was_asked(
    billing: PolarBilling, server: PolarServer, world: PolarWorld
) -> None:
    world.buy(BERT)
    berts = world.subscription_shape(world.subscription_of(BERT).id)
    order = world.order_shape(next(iter(world.till.charges.values())))
    for shape, listed in ((berts, ASKING["subscriptions"]), (order, ASKING["payments"])):
        server.faults.append(Fault(reshaped=lambda it, shape=shape: it | {"items": [shape]}))  # type: ignore[misc]  # of Json
        assert await listed(billing) == ()
    world.buy(ANNA)
    for call, name in ((begin, "external_customer_id"), (TELLING["portal"], "customer")):
        value: Any = BERT if name == "external_customer_id" else {"external_id": BERT}
        server.faults.append(Fault(reshaped=changed(**{name: value})))
        with pytest.raises(Unavailable, match="not this user's"):
            await call(billing)


@pytest.mark.parametrize(
    "page", [..., "", "javascript:alert(1)", "ftp://x", "//x", 7, None, "http://a b", "https://x\r\ny"]
)
async def test_users_are_sent_to_pages_only(page: object, billing: PolarBilling, server: PolarServer) -> None:
    server.world.buy(ANNA)
    for call, name in ((begin, "url"), (TELLING["portal"], "customer_portal_url")):
        server.faults.append(Fault(reshaped=changed(**{name: page})))
        with pytest.raises(Unavailable, match="cannot be read"):
            await call(billing)


async def test_what_is_about_something_else_is_not_taken(
    billing: PolarBilling, server: PolarServer, world: PolarWorld
) -> None:
    world.buy(ANNA)
    key = world.subscription_of(ANNA).id
    server.faults.append(Fault(reshaped=changed(id="another")))
    with pytest.raises(Unavailable, match="about something else"):
        await billing.set_ending(key, ends=True)
    server.faults.append(Fault(reshaped=changed(id="another")))
    with pytest.raises(Unavailable, match="about something else"):
        await billing.checkout(next(iter(world.till.purchases)))


@pytest.mark.parametrize("pagination", [..., None, {}, {"max_page": "2"}, {"max_page": 2}, {"max_page": 10**9}])
async def test_long_lists_come_in_pages(
    pagination: object, billing: PolarBilling, server: PolarServer, world: PolarWorld
) -> None:
    for _ in range(103):
        world.buy(ANNA)
        world.end(ANNA)
    server.faults.extend([Fault(reshaped=lambda it: _with(it, pagination))] * 12)
    found = await billing.subscriptions(ANNA)
    assert len(found) == 103
    assert [asked.query["page"] for asked in server.asked][:2] == ["1", "2"]
    assert {asked.query["limit"] for asked in server.asked} == {"100"}
    assert len(server.asked) <= 3


def _with(it: Any, pagination: object) -> Any:
    it.pop("pagination")
    return it if pagination is ... else it | {"pagination": pagination}


async def test_a_list_without_an_end_ends(billing: PolarBilling, server: PolarServer, world: PolarWorld) -> None:
    world.buy(ANNA)
    page = {"items": [world.subscription_shape(world.subscription_of(ANNA).id)], "pagination": {"max_page": 10**9}}
    server.faults.extend([Fault(reshaped=lambda _: page)] * 20)
    assert len(await billing.subscriptions(ANNA)) == 1
    assert len(server.asked) == 10


async def test_an_answer_without_an_end_is_given_up(billing: PolarBilling, server: PolarServer) -> None:
    server.faults.append(Fault(status=200, body=" " * (8 * 1024 * 1024 + 1)))
    with pytest.raises(Unavailable, match="longer than"):
        await billing.subscriptions(ANNA)


async def test_ids_do_not_leave_their_place_in_the_address(billing: PolarBilling, server: PolarServer) -> None:
    assert await billing.subscriptions(UserId("../../orders/?x=&a#b")) == ()
    assert server.asked[-1].path == "/v1/subscriptions/"
    assert server.asked[-1].query["external_customer_id"] == "../../orders/?x=&a#b"
    sent = len(server.asked)
    assert await billing.checkout("../subscriptions/") is None
    with pytest.raises(Rejected):
        await billing.set_ending("../checkouts/x", ends=True)
    with pytest.raises(Rejected):
        await billing.invoice("..%2f")
    assert len(server.asked) == sent


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/"])
async def test_the_address_may_be_written_in_any_way(ending: str, server: PolarServer, clock: ManualClock) -> None:
    access = PolarAccess(token=TOKEN, product_id=PRODUCT, server_url=server.url + ending)
    polar = PolarBilling(access, clock)
    assert await polar.subscriptions(ANNA) == ()
    assert server.asked[-1].path == "/v1/subscriptions/"
    await polar.aclose()


async def test_proxies_of_the_environment_are_not_taken(
    monkeypatch: pytest.MonkeyPatch, server: PolarServer, clock: ManualClock
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    polar = PolarBilling(PolarAccess(token=TOKEN, product_id=PRODUCT, server_url=server.url), clock)
    assert await polar.subscriptions(ANNA) == ()
    await polar.aclose()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("token", ""),
        ("token", "canary two"),
        ("token", "canary\n"),
        ("token", "canaryé"),
        ("product_id", ""),
        ("server_url", "canary"),
        ("server_url", "ftp://canary"),
        ("server_url", "https://canary:port"),
        ("server_url", "https://anna:canary@host"),
        ("server_url", "https://canary/?a"),
    ],
)
def test_what_polar_cannot_be_reached_by_is_refused(field: str, value: str) -> None:
    given = {"token": TOKEN, "product_id": PRODUCT} | {field: value}
    with pytest.raises(InvalidParameter) as refused:
        PolarAccess(**given)
    assert no_canary(refused.value)


def test_without_an_address_it_is_polar_itself() -> None:
    assert PolarAccess(token=TOKEN, product_id=PRODUCT).server_url == "https://api.polar.sh"


async def test_errors_are_of_the_port(billing: PolarBilling, server: PolarServer) -> None:
    server.faults.append(Fault(status=404, body="canary-body"))
    assert await billing.subscriptions(ANNA) == ()
    server.faults.append(Fault(status=404, body="canary-body"))
    with pytest.raises(PortError, match="does not have this subscription"):
        await billing.set_ending("00000000-0000-4000-8000-000000000003", ends=True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just("2024-01-01T12:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_WORLD = PolarWorld(ManualClock())
_WORLD.buy(ANNA)
_SHAPES: dict[str, tuple[Json, Callable[[Fields], object]]] = {
    "subscription": (_WORLD.subscription_shape(_WORLD.subscription_of(ANNA).id), subscription_of),
    "order": (_WORLD.order_shape(next(iter(_WORLD.till.charges.values()))), payment_of),
    "checkout": (_WORLD.checkout_shape(next(iter(_WORLD.till.purchases))), lambda it: checkout_of(it, ("http://",))),
}


@given(kind=st.sampled_from(sorted(_SHAPES)), data=st.data())
def test_any_object_is_read_or_said_to_be_unreadable(kind: str, data: st.DataObject) -> None:
    shape, read = _SHAPES[kind]
    changes = data.draw(st.dictionaries(st.sampled_from(sorted(shape)), JSON, max_size=4))
    with contextlib.suppress(Unreadable):
        repr(read(shape | changes))
