"""The verbs, held tasks, transactions and records, as Python has them."""

from __future__ import annotations

import gc
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tenure
from tenure.testing import FakeClock


def claimed(store: tenure.Store, *groups: str, **named: Any) -> tenure.Task:
    task = store.claim(*groups, **named)
    assert task is not None
    return task


def test_what_was_committed_is_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    with tenure.open(tmp_path / "work.tenure") as store:
        store.add("map", "part-1")
        task = claimed(store, "map")
        store.finish(task)
        store.put("done", "n", "1")
        identity, digest = store.identity, store.digest()
    with tenure.open(str(tmp_path / "work.tenure")) as store:
        assert (store.identity, store.digest()) == (identity, digest)
        record = store.get("done", "n")
        assert record is not None
        assert record.text() == "1"
    with pytest.raises(tenure.NotFound):
        tenure.open(tmp_path / "none", create=False)


def test_a_worker_that_was_too_slow_can_not_commit(tmp_path: Path, tenure_clock: FakeClock) -> None:
    slow = tenure.open(tmp_path / "s", clock=tenure_clock, actor="web-1:100")
    quick = tenure.open(tmp_path / "s", clock=tenure_clock, actor="web-2:311")
    with slow, quick:
        slow.add("map", "x")
        first = claimed(slow, "map", lease=5)
        tenure_clock.advance(6)
        second = claimed(quick, "map", lease=60)
        tenure_clock.advance(3)
        with pytest.raises(tenure.LeaseLost) as lost:
            slow.finish(first)
        assert isinstance(lost.value, tenure.Rejected)
        error = lost.value
        assert (error.code, error.kind, error.outcome, error.retry) == ("lease_lost", "rejected", "refused", "no")
        (missing,) = error.details["missing_deletes"]
        assert missing["fate"]["actor"] == "web-2:311"
        assert missing["fate"]["available_at"] == second.available_at
        assert missing["lease_end"] == first.available_at
        assert str(error) == error.message
        quick.finish(second)


def test_an_error_can_be_sent_to_another_process(tenure_store: tenure.Store) -> None:
    with pytest.raises(tenure.Rejected) as raised:
        tenure_store.finish(9)
    sent = pickle.loads(pickle.dumps(raised.value))
    assert type(sent) is tenure.Rejected
    assert (sent.code, sent.details, str(sent)) == (raised.value.code, raised.value.details, str(raised.value))


def test_a_task_can_be_sent_to_another_process(tenure_store: tenure.Store) -> None:
    task = tenure_store.add("g", b"\xff", key="k")
    assert pickle.loads(pickle.dumps(task)) == task
    assert hash(task) == hash(tenure_store.task(task.id))
    assert task != tenure_store.add("g", b"\xff")


def test_the_verbs_change_a_task_and_keep_its_origin(tenure_store: tenure.Store, tenure_clock: FakeClock) -> None:
    store = tenure_store
    origin = store.add("g", "x", key="k").id
    task = claimed(store, "g", lease=10)
    assert (task.origin, task.attempt, task.owner) == (origin, 1, store.owner)
    assert task.available_at == tenure_clock.now() + 10
    task = store.renew(task, 20)
    assert task.available_at == tenure_clock.now() + 20
    task = store.fail(task, ValueError("no such file"), delay=5)
    assert (task.failures, task.error, task.owner) == (1, "ValueError: no such file", 0)
    assert store.claim("g") is None
    tenure_clock.advance(5)
    task = store.release(claimed(store, "g"))
    task = store.move_to(task, "h")
    assert task.group == "h"
    task = store.requeue(task, group="g", delay=1)
    assert (task.attempt, task.failures, task.group) == (0, 0, "g")
    assert store.find(origin) == store.by_key("g", "k") == store.task(task.id) == task
    assert store.tasks([task.id, 10**6]) == [task, None]
    assert store.tasks(group="g", state="delayed") == [task]
    assert store.tasks(state="held") == []
    assert store.group("g").delayed == 1
    store.cancel(task)
    assert store.find(origin) is None


def test_a_key_is_kept_refused_or_replaced(tenure_store: tenure.Store) -> None:
    first = tenure_store.add("g", "1", key="k")
    with pytest.raises(tenure.Rejected) as raised:
        tenure_store.add("g", "2", key="k")
    assert raised.value.code == "key_exists"
    assert tenure_store.add("g", "2", key="k", if_exists="keep") == first
    assert tenure_store.add("g", "2", key="k", if_exists="replace").text() == "2"


def test_a_request_id_is_answered_once(tenure_store: tenure.Store) -> None:
    first = tenure_store.add("g", "x", request_id="r")
    assert tenure_store.add("g", "x", request_id="r") == first
    assert tenure_store.update(adds=[{"group": "g", "data": "x"}], request_id="r").repeated
    with pytest.raises(tenure.Invalid) as raised:
        tenure_store.add("g", "y", request_id="r")
    assert raised.value.code == "request_reused"
    assert tenure_store.group("g").tasks == 1


def test_an_update_changes_tasks_and_records_in_one_piece(tenure_store: tenure.Store) -> None:
    store = tenure_store
    one, two = store.add_many("g", ["1", "2"])
    committed = store.update(
        adds=[{"group": "g", "json": [3], "delay": 1}],
        updates=[{"task": one, "data": "one"}],
        deletes=[{"task": two, "reason": "finished"}],
        puts=[{"table": "t", "key": "a", "value": "b", "expect": 0}],
        increments=[{"table": "t", "key": "n"}, {"table": "t", "key": "m", "by": -5}],
        depends=[one, {"origin": two.origin}],
    )
    assert [task.data for task in committed.tasks] == [b"[3]", b"one"]
    assert committed.counts == [1, -5]
    assert [record.key for record in store.scan("t")] == ["a", "m", "n"]
    assert [record.key for record in store.scan("t", prefix="m")] == ["m"]
    with pytest.raises(tenure.Rejected) as raised:
        store.update(removes=[("t", "a")], puts=[{"table": "t", "key": "b", "value": "", "expect": 9}])
    assert raised.value.details["stale_records"] == [{"table": "t", "key": "b", "expected": 9, "found": 0}]
    store.update(removes=[("t", "a"), {"table": "t", "key": "n", "expect": committed.revision}])
    assert [record.key for record in store.scan("t")] == ["m"]


def test_records_expire_and_count_within_bounds(tenure_store: tenure.Store, tenure_clock: FakeClock) -> None:
    store = tenure_store
    revision = store.put("t", "k", "v", expires_at=tenure_clock.now() + 5)
    record = store.get("t", "k")
    assert record is not None
    assert (record.revision, record.expires_at) == (revision, tenure_clock.now() + 5)
    tenure_clock.advance(5)
    assert store.get("t", "k") is None
    assert store.increment("t", "n", 3) == 3
    with pytest.raises(tenure.Rejected) as raised:
        store.increment("t", "n", 3, max=5)
    assert raised.value.code == "bounds"


def test_leaving_a_held_block_finishes_the_task(tenure_store: tenure.Store) -> None:
    tenure_store.add_many("map", ["a", "b"])
    for held in tenure_store.claims("map", idle=0):
        with held:
            assert held.text() in ("a", "b")
            assert not held.ended
        assert held.ended
    assert tenure_store.groups() == {}


def test_an_exception_in_a_held_block_fails_the_task_and_goes_on(tenure_store: tenure.Store) -> None:
    task = tenure_store.add("map", "a")
    with pytest.raises(ZeroDivisionError), next(tenure_store.claims("map")):
        _ = 1 / 0
    failed = tenure_store.find(task.origin)
    assert failed is not None
    assert (failed.failures, failed.error, failed.owner) == (1, "ZeroDivisionError: division by zero", 0)


def test_an_interrupt_in_a_held_block_gives_the_task_back_without_a_failure(tenure_store: tenure.Store) -> None:
    task = tenure_store.add("map", "a")
    with pytest.raises(KeyboardInterrupt), next(tenure_store.claims("map")):
        raise KeyboardInterrupt
    back = tenure_store.find(task.origin)
    assert back is not None
    assert (back.failures, back.owner, back.attempt) == (0, 0, 1)


def test_a_held_task_that_is_let_go_is_given_back(tenure_store: tenure.Store) -> None:
    tenure_store.add("map", "a")
    held = next(tenure_store.claims("map"))
    assert tenure_store.claim("map") is None
    del held
    gc.collect()
    assert tenure_store.claim("map") is not None


def test_a_held_task_renews_itself(tenure_store: tenure.Store, tenure_clock: FakeClock) -> None:
    store = tenure_store
    store.add("map", "a")
    held = next(store.claims("map", lease=30))
    watch = store.watch()
    for _ in range(20):
        before = held.task.available_at
        tenure_clock.advance(10)
        # The renewal has a thread of its own, and its entry is what this waits for.
        while held.task.available_at == before:
            assert watch.next(30) is not None
        assert not held.lost
    held.finish()
    with pytest.raises(tenure.Invalid):
        held.finish()


def test_a_lost_lease_is_seen_and_said() -> None:
    journal = tenure.journal.MemoryJournal()
    with tenure.open(journal) as store, tenure.open(journal) as other:
        task = store.add("map", "a")
        with pytest.raises(tenure.LeaseLost), next(store.claims("map")) as held:
            present = other.find(task.origin)
            assert present is not None
            other.cancel(present, force=True)
            with pytest.raises(tenure.LeaseLost):
                held.renew()
            assert held.lost
            with pytest.raises(tenure.LeaseLost):
                held.check()


def test_a_held_task_keeps_notes_and_data(tenure_store: tenure.Store) -> None:
    store = tenure_store
    task = store.add("map", "a")
    held = next(store.claims("map"))
    held.note("half done")
    held.save(b"b")
    found = store.find(task.origin)
    assert found is not None
    assert (found.error, found.data, found.owner) == ("half done", b"b", store.owner)
    assert held.data == b"b"
    with pytest.raises(TypeError):
        store.update(deletes=[held])  # type: ignore[list-item]
    assert store.release(held, delay=5).owner == 0
    assert held.ended


def test_a_failure_can_put_a_task_aside(tenure_store: tenure.Store) -> None:
    store = tenure_store
    ways: list[Callable[[tenure.Held], Any]] = [
        lambda held: held.fail("1", group="dead"),
        lambda held: store.fail(held, "1", group="dead"),
        lambda held: store.fail(held.task, "1", group="dead"),
        lambda held: store.transact(lambda tx: tx.fail(held, "1", group="dead")),
    ]
    for n, put_aside in enumerate(ways):
        origin = store.add("g", str(n)).id
        held = next(store.claims("g"))
        put_aside(held)
        task = store.find(origin)
        assert task is not None
        assert (task.group, task.failures, task.error, task.owner) == ("dead", 1, "1", 0)
    assert store.group("dead").available == 4


def test_whatever_takes_a_held_task_away_ends_it(tenure_store: tenure.Store) -> None:
    store = tenure_store
    takes: list[Callable[[tenure.Held], Any]] = [
        lambda held: store.release(held),
        lambda held: store.fail(held, "no"),
        lambda held: store.move_to(held, "h"),
        lambda held: store.requeue(held),
        lambda held: store.requeue(held, group="h", delay=1),
        lambda held: store.cancel(held),
        lambda held: store.finish(held),
    ]
    for take in takes:
        store.add("g", "x")
        with next(store.claims("g")) as held:
            take(held)
            assert held.ended
        # Leaving the block did nothing more: what was moved is where it was moved to.
        for task in store.tasks():
            assert task.owner == 0
            store.cancel(task)


def test_a_transaction_is_all_or_nothing(tenure_store: tenure.Store) -> None:
    store = tenure_store
    store.add("map", "a")
    with next(store.claims("map")) as held, store.transaction() as tx:
        tx.finish(held)
        tx.add("reduce", held.data.upper(), key="a")
        tx.increment("left", "job", -1)
        tx.put("t", "k", "v")
        record = tx.get("t", "k")
        assert record is not None
        assert record.value == b"v"
    assert held.ended
    assert tx.committed is not None
    assert (tx.committed.tasks[0].data, tx.committed.counts) == (b"A", [-1])
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        tx.add("reduce", "never")
        _ = 1 / 0
    assert tx.committed is None
    with pytest.raises(tenure.Invalid):
        tx.add("reduce", "late")
    assert store.group("reduce").tasks == 1


def test_a_transaction_tried_once_is_refused_where_what_it_read_has_changed(tenure_store: tenure.Store) -> None:
    store = tenure_store
    with pytest.raises(tenure.Rejected) as raised, store.transaction() as tx:
        assert tx.get("t", "k") is None
        store.put("t", "k", "other")
        tx.put("t", "seen", "nothing")
    assert raised.value.code == "stale_record"


def test_transact_runs_again_where_what_it_read_has_changed(tenure_store: tenure.Store) -> None:
    store = tenure_store
    runs = 0

    def count(tx: tenure.Transaction) -> int:
        nonlocal runs
        runs += 1
        record = tx.get("t", "n")
        number = int(record.value) if record else 0
        if runs < 4:
            store.put("t", "n", str(number + 10))
        tx.put("t", "n", str(number + 1))
        return number + 1

    assert store.transact(count) == 31
    assert runs == 4
    runs = 0
    with pytest.raises(tenure.Rejected):
        store.transact(count, retries=2)
    assert runs == 3


def test_what_the_function_of_a_transaction_raises_comes_out_unchanged(tenure_store: tenure.Store) -> None:
    class Own(Exception):
        pass

    own = Own("mine")

    def fail(tx: tenure.Transaction) -> None:
        tx.add("g", "x")
        raise own

    with pytest.raises(Own) as raised:
        tenure_store.transact(fail)
    assert raised.value is own
    assert raised.value.__cause__ is None
    assert tenure_store.groups() == {}


def test_a_watch_tells_what_is_committed(tenure_store: tenure.Store) -> None:
    store = tenure_store
    watch = store.watch(timeout=0)
    store.add("g", "x", key="k", request_id="r")
    store.finish(claimed(store, "g"))
    store.put("t", "a", "b")
    added, taken, finished, put = list(watch)
    # The label of who did it is the service's, where the store is served.
    assert (added.request_id, bool(added.actor), added.owner) == ("r", True, store.owner)
    assert [change.kind for event in (added, taken, finished, put) for change in event.changes] == [
        "added",
        "changed",
        "removed",
        "put",
    ]
    assert (added.changes[0].place, added.changes[0].key) == ("g", "k")
    assert taken.changes[0].owner == store.owner
    assert finished.changes[0].reason == "finished"
    assert watch.next() is None


def test_a_paused_group_is_skipped(tenure_store: tenure.Store) -> None:
    tenure_store.add("g", "x")
    tenure_store.pause("g")
    assert tenure_store.group("g").paused
    assert tenure_store.claim("g") is None
    tenure_store.pause("g", False)
    assert tenure_store.claim("g") is not None


def test_a_read_only_handle_writes_nothing(tmp_path: Path) -> None:
    with tenure.open(tmp_path / "s") as store, tenure.open(tmp_path / "s", read_only=True) as reader:
        with pytest.raises(tenure.Invalid) as raised:
            reader.add("g", "x")
        assert raised.value.code == "read_only"
        assert store.stats()["revision"] == 0


def test_an_exclusive_store_is_refused_to_others_until_it_is_taken_over(tmp_path: Path) -> None:
    one = tenure.open(tmp_path / "s", exclusive=True)
    two = tenure.open(tmp_path / "s", take_over=True)
    with pytest.raises(tenure.Fenced):
        one.add("g", "x")
    two.add("g", "x")
    two.close()
    one.close()


def test_limits_are_named_in_refusals() -> None:
    with tenure.memory(limits={"max_tasks": 1, "data_bytes": 3}) as store:
        store.add("g", "abc")
        with pytest.raises(tenure.Full):
            store.add("g", "abc")
        with pytest.raises(tenure.Invalid, match="3"):
            store.add("h", "abcd")


def test_a_snapshot_and_a_flush_answer(tmp_path: Path) -> None:
    with tenure.open(tmp_path / "s", durability="opportunistic") as store:
        store.add_many("g", [str(i) for i in range(100)])
        store.flush()
        assert store.snapshot() >= 1
        assert store.stats()["snapshots_taken"] == 1
        assert store.weak().group("g").tasks == 100
