"""Arguments that can't be right: an exception of the right class each time, and nothing written."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest

import tenure

# Where a type checker would speak up first.
unchecked: Any = tenure


@pytest.fixture
def store() -> Any:
    with tenure.memory() as store:
        yield store


@pytest.mark.parametrize("lease", [0, -1, math.nan, math.inf, -math.inf, 1e300, 10**400, timedelta(-1), 31 * 86400])
def test_a_lease_that_can_not_be_is_invalid(store: tenure.Store, lease: Any) -> None:
    task = store.add("g", "x")
    for call in (
        lambda: store.claim("g", lease=lease),
        lambda: store.claim("g", lease=lease, wait=None),
        lambda: store.claim_many("g", limit=1, lease=lease),
        lambda: store.renew(task, lease),
    ):
        with pytest.raises(tenure.Invalid) as raised:
            call()
        assert raised.value.outcome == "not_started"
        assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize("delay", [-1, math.nan, math.inf, 1e300, timedelta(seconds=-1)])
def test_a_delay_that_can_not_be_is_invalid(store: tenure.Store, delay: Any) -> None:
    with pytest.raises(tenure.Invalid):
        store.add("g", "x", delay=delay)
    assert store.groups() == {}


def test_spans_are_numbers_or_timedeltas(store: tenure.Store) -> None:
    now = store.now()
    assert store.add("g", delay=timedelta(hours=1)).available_at == pytest.approx(now + 3600, abs=5)
    assert store.add("g", delay=0.25).available_at == pytest.approx(now + 0.25, abs=5)
    task = store.add("g", available_at=now + 60)
    assert task.available_at == pytest.approx(now + 60, abs=0.001)


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.add(5, "x"),
        lambda store: store.add("g", 5),
        lambda store: store.add("g", object()),
        lambda store: store.add("g", "x", delay="1"),
        lambda store: store.add("g", "x", key=5),
        lambda store: store.add_many("g", 5),
        lambda store: store.add_many("g", ["x", 5]),
        lambda store: store.claim(5),
        lambda store: store.claim("g", wait="1"),
        lambda store: store.claim("g", stop=5),
        lambda store: store.finish("x"),
        lambda store: store.finish(None),
        lambda store: store.update(adds=5),
        lambda store: store.update(adds=[5]),
        lambda store: store.update(adds=[{"group": 5}]),
        lambda store: store.transact(5),
        lambda store: store.put("t", "k", 5),
        lambda store: store.get("t", 5),
        lambda store: store.increment("t", "k", "1"),
        lambda store: store.tasks("x"),
        lambda store: unchecked.open(5),
        lambda store: unchecked.open(object()),
        lambda store: unchecked.memory(clock=5),
        lambda store: unchecked.memory(owner="x"),
        lambda store: unchecked.Task(),
        lambda store: unchecked.Store(),
    ],
)
def test_a_wrong_type_is_a_type_error(store: tenure.Store, call: Any) -> None:
    with pytest.raises(TypeError):
        call(store)
    assert store.revision() == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.add("g", "x", json=1),
        lambda store: store.add("g", "x", delay=1, available_at=5),
        lambda store: store.add("g", "x", if_exists="maybe"),
        lambda store: store.add("", "x"),
        lambda store: store.add("g" * 256, "x"),
        lambda store: store.add("g", b"x" * (16 * 1024 * 1024 + 1)),
        lambda store: store.add("g", "\ud800"),
        lambda store: store.add("\ud800", "x"),
        lambda store: store.add("g", json="\ud800"),
        lambda store: store.add("g", json=math.nan),
        lambda store: store.claim(),
        lambda store: store.claim("g", order="newest"),
        lambda store: store.claim_many("g", limit=0),
        lambda store: store.claim_many("g", limit=-1),
        lambda store: store.claim_many("g", limit=10**30),
        lambda store: store.claim("g", owner=-1),
        lambda store: store.finish(-1),
        lambda store: store.finish(2**64),
        lambda store: store.find(-1),
        lambda store: store.task(2**64),
        lambda store: store.tasks(limit=-1),
        lambda store: store.tasks(after=-1),
        lambda store: store.scan("t", limit=-1),
        lambda store: store.put("t", "k", "v", expect=-1),
        lambda store: store.remove("t", "k", expect=2**64),
        lambda store: store.increment("t", "k", 2**63),
        lambda store: store.increment("t", "k", min=-(2**63) - 1),
        lambda store: store.transact(lambda tx: None, retries=-1),
        lambda store: store.transact(lambda tx: tx.increment("t", "k", 2**63)),
        lambda store: store.add("g", available_at=1e18),
        lambda store: store.claim_many("g", limit=10**6),
        lambda store: store.tasks(state="gone"),
        lambda store: store.update(),
        lambda store: store.update(adds=[{"group": "g", "colour": "red"}]),
        lambda store: store.update(adds=[{}]),
        lambda store: store.update(depends=[1], depends_only=False),
        lambda store: store.update(depends=[{}]),
        lambda store: tenure.memory(limits={"colour": 1}),
        lambda store: tenure.memory(owner=0),
        lambda store: tenure.memory(owner=2**53),
    ],
)
def test_a_wrong_value_is_invalid(store: tenure.Store, call: Any) -> None:
    with pytest.raises(ValueError):
        call(store)
    assert store.revision() == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda store, huge: store.add(huge),
        lambda store, huge: store.add("g", key=huge),
        lambda store, huge: store.add("g", huge),
        lambda store, huge: store.add("g", if_exists=huge),
        lambda store, huge: store.add("g", request_id=huge),
        lambda store, huge: store.claim(huge),
        lambda store, huge: store.claim("g", order=huge),
        lambda store, huge: store.update(adds=[{huge: 1}]),
        lambda store, huge: store.update(puts=[{"table": huge, "key": "k", "value": ""}]),
        lambda store, huge: tenure.memory(limits={huge: 1}),
    ],
)
def test_a_huge_text_is_not_repeated(store: tenure.Store, call: Any) -> None:
    with pytest.raises(tenure.Invalid) as raised:
        call(store, "x" * 20_000_000)
    assert len(str(raised.value)) < 2_000
    assert store.revision() == 0


def test_the_place_of_a_mistake_is_named(store: tenure.Store) -> None:
    with pytest.raises(tenure.Invalid, match=r"adds\[1\]: unknown field 'colour'"):
        store.update(adds=[{"group": "g"}, {"group": "g", "colour": "red"}])
    with pytest.raises(TypeError, match=r"adds\[0\]\.group: expected str, not int"):
        store.update(adds=[{"group": 5}])
    with pytest.raises(TypeError, match=r"items\[1\]: give bytes or str"):
        unchecked.memory().add_many("g", ["x", 5])


def test_every_kind_of_data_comes_back_as_bytes(store: tenure.Store) -> None:
    for data in (b"\xff\x00", bytearray(b"\xff\x00"), memoryview(b"\xff\x00"), memoryview(b"\xff1\x001")[::2]):
        assert store.add("g", data).data == b"\xff\x00"
    assert store.add("g", "grüße").data == "grüße".encode()
    assert store.add("g", json={"grüße": [1, None]}).data == '{"grüße":[1,null]}'.encode()
    assert store.add("g", json=None).json() is None
    assert store.add("g").data == b""
    with pytest.raises(UnicodeDecodeError):
        store.add("g", b"\xff").text()
    released = memoryview(b"x")
    released.release()
    with pytest.raises(ValueError):
        store.add("g", released)


def test_a_closed_store_says_so_in_every_call() -> None:
    store = tenure.memory()
    task = store.add("g", "x")
    watch = store.watch()
    store.close()
    store.close()
    for call in (
        lambda: store.add("g", "x"),
        lambda: store.claim("g"),
        lambda: store.claim("g", wait=None),
        lambda: store.finish(task),
        lambda: store.get("t", "k"),
        lambda: store.groups(),
        lambda: store.flush(),
        lambda: store.snapshot(),
        lambda: store.stats(),
        lambda: store.watch(),
        lambda: store.wait_empty("g"),
        lambda: store.transact(lambda tx: tx.add("g")),
        lambda: next(store.claims("g")),
        lambda: next(watch),
    ):
        with pytest.raises(tenure.Closed):
            call()
    assert task.text() == "x"
