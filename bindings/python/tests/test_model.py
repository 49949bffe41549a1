"""A store against a model of it in plain Python: whatever is done, in whatever order, both say the same."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

import tenure

GROUPS = st.sampled_from(["a", "b", "c"])
KEYS = st.sampled_from(["k", "l"])


class Model:
    """What a store has to know of a task."""

    def __init__(self, task: tenure.Task) -> None:
        self.id = task.id
        self.group = task.group
        self.data = task.data
        self.available_at = task.available_at
        self.owner = 0
        self.attempt = 0
        self.failures = 0


class Stores(RuleBasedStateMachine):
    """Two handles on one journal, one clock."""

    tasks = Bundle("tasks")

    @initialize()
    def begin(self) -> None:
        self.clock = tenure.FakeClock(1_000_000)
        journal = tenure.journal.MemoryJournal()
        self.stores = [tenure.open(journal, clock=self.clock, owner=n, seed=n) for n in (1, 2)]
        self.live: dict[int, Model] = {}
        self.ended: set[int] = set()
        self.records: dict[str, bytes] = {}
        self.highest = 0

    def grow(self, task: tenure.Task) -> None:
        assert task.id > self.highest
        self.highest = task.id

    def held(self, model: Model) -> bool:
        return model.owner != 0 and model.available_at > self.clock.now()

    @rule(target=tasks, handle=st.integers(0, 1), group=GROUPS, data=st.binary(max_size=8), delay=st.integers(0, 5))
    def add(self, handle: int, group: str, data: bytes, delay: int) -> Any:
        task = self.stores[handle].add(group, data, delay=delay)
        assert task.available_at == self.clock.now() + delay
        self.grow(task)
        self.live[task.origin] = Model(task)
        return task.origin

    @rule(target=tasks, handle=st.integers(0, 1), group=GROUPS, items=st.lists(st.binary(max_size=3), max_size=3))
    def add_many(self, handle: int, group: str, items: list[bytes]) -> Any:
        added = self.stores[handle].add_many(group, items)
        assert [task.data for task in added] == items
        for task in added:
            self.grow(task)
            self.live[task.origin] = Model(task)
        return multiple(*(task.origin for task in added))

    @rule(
        handle=st.integers(0, 1), groups=st.lists(GROUPS, min_size=1, max_size=2, unique=True), lease=st.integers(1, 9)
    )
    def claim(self, handle: int, groups: list[str], lease: int) -> None:
        now = self.clock.now()
        task = self.stores[handle].claim(*groups, lease=lease)
        may = [m for m in self.live.values() if m.group in groups and m.available_at <= now]
        if task is None:
            assert may == []
            return
        first = next(group for group in groups if any(m.group == group for m in may))
        model = self.live[task.origin]
        assert model in may
        assert model.group == first
        assert task.data == model.data
        self.grow(task)
        model.id, model.owner, model.available_at = task.id, handle + 1, now + lease
        model.attempt += 1
        assert (task.attempt, task.available_at) == (model.attempt, model.available_at)

    def change(self, handle: int, origin: int, verb: str, *arguments: Any, **named: Any) -> Model | None:
        """Does what a verb says, where the model allows it."""
        model = self.live.get(origin)
        store = self.stores[handle]
        if model is None:
            assert store.find(origin) is None
            return None
        needs_hold = verb == "renew"
        allowed = model.owner == handle + 1 if needs_hold else not self.held(model) or model.owner == handle + 1
        try:
            task = getattr(store, verb)(model.id, *arguments, **named)
        except tenure.Rejected:
            assert not allowed
            return None
        assert allowed
        if task is None:
            del self.live[origin]
            self.ended.add(model.id)
            return None
        self.grow(task)
        assert (task.origin, task.data) == (origin, model.data)
        model.id = task.id
        return model

    @rule(handle=st.integers(0, 1), origin=tasks)
    def finish(self, handle: int, origin: int) -> None:
        self.change(handle, origin, "finish")

    @rule(handle=st.integers(0, 1), origin=tasks, delay=st.integers(0, 5))
    def fail(self, handle: int, origin: int, delay: int) -> None:
        if model := self.change(handle, origin, "fail", "no", delay=delay):
            model.owner, model.available_at = 0, self.clock.now() + delay
            model.failures += 1

    @rule(handle=st.integers(0, 1), origin=tasks, delay=st.integers(0, 5))
    def release(self, handle: int, origin: int, delay: int) -> None:
        if model := self.change(handle, origin, "release", delay=delay):
            model.owner, model.available_at = 0, self.clock.now() + delay

    @rule(handle=st.integers(0, 1), origin=tasks, lease=st.integers(1, 9))
    def renew(self, handle: int, origin: int, lease: int) -> None:
        if model := self.change(handle, origin, "renew", lease):
            model.available_at = self.clock.now() + lease

    @rule(handle=st.integers(0, 1), origin=tasks, group=GROUPS)
    def requeue(self, handle: int, origin: int, group: str) -> None:
        if model := self.change(handle, origin, "requeue", group=group):
            model.owner, model.attempt, model.failures = 0, 0, 0
            model.group, model.available_at = group, self.clock.now()

    @rule(handle=st.integers(0, 1), key=KEYS, value=st.binary(max_size=4))
    def put(self, handle: int, key: str, value: bytes) -> None:
        self.stores[handle].put("t", key, value)
        self.records[key] = value

    @rule(handle=st.integers(0, 1), key=KEYS)
    def remove(self, handle: int, key: str) -> None:
        self.stores[handle].remove("t", key)
        self.records.pop(key, None)

    @rule(handle=st.integers(0, 1), key=KEYS)
    def transact(self, handle: int, key: str) -> None:
        def double(tx: tenure.Transaction) -> bytes:
            record = tx.get("t", key)
            value = (record.value if record else b"")[:2] * 2
            tx.put("t", key, value)
            return value

        self.records[key] = self.stores[handle].transact(double)

    @rule(by=st.integers(1, 5))
    def advance(self, by: int) -> None:
        self.clock.advance(by)

    @rule(handle=st.integers(0, 1))
    def snapshot(self, handle: int) -> None:
        self.stores[handle].snapshot()

    @invariant()
    def both_handles_say_what_the_model_says(self) -> None:
        if not hasattr(self, "stores"):
            return
        now = self.clock.now()
        for store in self.stores:
            found = store.tasks()
            assert {task.origin: task.id for task in found} == {o: m.id for o, m in self.live.items()}
            for task in found:
                model = self.live[task.origin]
                assert (task.group, task.attempt, task.failures) == (model.group, model.attempt, model.failures)
                assert task.available_at == model.available_at
            groups = store.groups()
            for name in "abc":
                mine = [m for m in self.live.values() if m.group == name]
                if not mine:
                    assert name not in groups
                    continue
                stats = groups[name]
                assert (stats.tasks, stats.held) == (len(mine), sum(self.held(m) for m in mine))
                assert stats.available == sum(m.available_at <= now for m in mine)
            assert {record.key: record.value for record in store.scan("t")} == self.records
        assert self.stores[0].digest() == self.stores[1].digest()

    def teardown(self) -> None:
        for store in getattr(self, "stores", []):
            store.close()


TestStores = Stores.TestCase
TestStores.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
