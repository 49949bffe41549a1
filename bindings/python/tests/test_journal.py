"""Journals written in Python: the contracts, exceptions, rubbish, and a failure at every call."""

from __future__ import annotations

import gc
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

import tenure
from tenure.journal import Journal, MemoryJournal
from tenure.testing import check_journal


class Remade(MemoryJournal):
    """Knows that another journal was put in its place."""

    replaced = False

    def read(self, position: int) -> Iterable[tuple[int, bytes]] | None:
        self._check()
        return super().read(position)

    def append(self, position: int, rows: Sequence[bytes]) -> bool:
        self._check()
        return super().append(position, rows)

    def floor(self) -> tuple[int, bytes]:
        self._check()
        return super().floor()

    def _check(self) -> None:
        if self.replaced:
            error = tenure.Fenced("another journal stands in this one's place")
            error.code = "replaced"
            raise error


def remake(journal: Journal) -> Journal:
    assert isinstance(journal, Remade)
    journal.replaced = True
    return Remade()


def test_a_journal_in_python_keeps_every_contract() -> None:
    findings = check_journal(Remade, remake)
    assert len(findings) > 20
    assert {finding.contract for finding in findings} >= {f"J{n}" for n in range(1, 10)}
    assert [finding for finding in findings if finding.verdict != "kept"] == []


def test_the_suite_finds_a_journal_that_keeps_no_condition() -> None:
    class Careless(MemoryJournal):
        def append(self, position: int, rows: Sequence[bytes]) -> bool:
            self._rows.extend(rows)
            return True

    assert "broken" in {finding.verdict for finding in check_journal(Careless)}


class Table(Journal):
    """Rows in an SQLite database, which several processes can open."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._guard = threading.RLock()
        self._run("create table if not exists rows (n integer primary key, row blob)")
        self._run("create table if not exists snapshots (name text primary key, data blob)")
        self._run("create table if not exists facts (id integer primary key, identity blob, floor integer, mark blob)")
        self._run("insert or ignore into facts values (1, randomblob(16), 1, x'')")

    def _run(self, statement: str, *values: object) -> list[Any]:
        with self._guard:
            return self._database.execute(statement, values).fetchall()

    def lock(self, seconds: float) -> bool:
        self._guard.acquire()
        self._run(f"pragma busy_timeout = {int(seconds * 1000)}")
        try:
            self._run("begin immediate")
        except sqlite3.OperationalError:
            self._guard.release()
            return False
        return True

    def unlock(self) -> None:
        self._run("commit")
        self._guard.release()

    def identity(self) -> bytes:
        return bytes(self._run("select identity from facts")[0][0])

    def floor(self) -> tuple[int, bytes]:
        floor, mark = self._run("select floor, mark from facts")[0]
        return floor, mark

    def read(self, position: int) -> Iterable[tuple[int, bytes]] | None:
        with self._guard:
            if position < self.floor()[0]:
                return None
            return self._run("select n, row from rows where n >= ? order by n", position)

    def append(self, position: int, rows: Sequence[bytes]) -> bool:
        with self._guard:
            last = self._run("select max(n) from rows")[0][0]
            end = self.floor()[0] if last is None else last + 1
            if position != end:
                return False
            self._database.executemany("insert into rows values (?, ?)", enumerate(rows, position))
            return True

    def truncate(self, floor: int, mark: bytes) -> None:
        with self._guard:
            if floor > self.floor()[0]:
                self._run("delete from rows where n < ?", floor)
                self._run("update facts set floor = ?, mark = ?", floor, mark)

    def publish_snapshot(self, name: str, data: bytes) -> None:
        self._run("insert or replace into snapshots values (?, ?)", name, data)

    def snapshots(self) -> Iterable[str]:
        return [name for (name,) in self._run("select name from snapshots")]

    def read_snapshot(self, name: str) -> bytes | None:
        found = self._run("select data from snapshots where name = ?", name)
        return found[0][0] if found else None

    def remove_snapshot(self, name: str) -> None:
        self._run("delete from snapshots where name = ?", name)


def test_a_journal_in_a_database_keeps_every_contract(tmp_path: Path) -> None:
    made = 0

    def make() -> Journal:
        nonlocal made
        made += 1
        return Table(tmp_path / f"{made}.db")

    broken = [finding for finding in check_journal(make) if finding.verdict == "broken"]
    assert broken == []


@pytest.mark.parametrize("kind", ["memory", "table"])
def test_stores_on_one_journal_share_their_tasks(kind: str, tmp_path: Path) -> None:
    shared = MemoryJournal()
    make: Callable[[], Journal] = (lambda: shared) if kind == "memory" else (lambda: Table(tmp_path / "rows.db"))
    with tenure.open(make()) as one, tenure.open(make()) as two:
        one.add_many("g", [str(i) for i in range(50)])
        done: list[bytes] = []

        def work(store: tenure.Store) -> None:
            while (task := store.claim("g")) is not None:
                store.finish(task)
                done.append(task.data)

        threads = [threading.Thread(target=work, args=(store,)) for store in (one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(done) == sorted(str(i).encode() for i in range(50))
        one.snapshot()
        assert one.digest() == two.digest()
    with tenure.open(make()) as again:
        assert again.groups() == {}
        assert again.revision() > 100


class Failing(MemoryJournal):
    """Raises at one call; `late` does the work first."""

    def __init__(self, at: int, late: bool) -> None:
        super().__init__()
        self.at = at
        self.late = late
        self.calls = 0
        self.raised: OSError | None = None

    def fail(self, call: Callable[..., Any], *arguments: Any) -> Any:
        self.calls += 1
        if self.calls != self.at:
            return call(*arguments)
        if self.late:
            call(*arguments)
        self.raised = OSError("the line is down")
        raise self.raised

    def floor(self) -> tuple[int, bytes]:
        return tuple(self.fail(super().floor))

    def read(self, position: int) -> Any:
        return self.fail(super().read, position)

    def append(self, position: int, rows: Sequence[bytes]) -> bool:
        return bool(self.fail(super().append, position, rows))

    def truncate(self, floor: int, mark: bytes) -> None:
        self.fail(super().truncate, floor, mark)

    def publish_snapshot(self, name: str, data: bytes) -> None:
        self.fail(super().publish_snapshot, name, data)

    def snapshots(self) -> Any:
        return self.fail(super().snapshots)


@pytest.mark.parametrize("late", [False, True])
def test_a_failure_at_any_call_leaves_the_state_as_it_was_acknowledged(late: bool) -> None:
    for at in range(1, 200):
        journal = Failing(at, late)
        sure: set[bytes] = set()
        open_question: set[bytes] = set()
        try:
            with tenure.open(journal) as store:
                for i in range(6):
                    data = str(i).encode()
                    try:
                        store.add("g", data)
                        sure.add(data)
                    except OSError as error:
                        assert error is journal.raised
                    except tenure.Unknown as error:
                        assert error.retry == "with_same_request_id"
                        assert error.__cause__ is journal.raised
                        open_question.add(data)
                    if i == 3:
                        try:
                            store.snapshot()
                        except OSError as error:
                            assert error is journal.raised
        except OSError as error:
            assert error is journal.raised
        journal.at = 0
        with tenure.open(journal) as store:
            found = {task.data for task in store.tasks(group="g")}
        assert sure <= found <= sure | open_question, f"call {at}"
        if journal.raised is None:
            assert at > 10
            return
    raise AssertionError("it never ended")


def test_an_exception_that_says_so_is_sure_that_nothing_is_there() -> None:
    class Down(MemoryJournal):
        down = False

        def append(self, position: int, rows: Sequence[bytes]) -> bool:
            if self.down:
                raise tenure.Unavailable("the line is down: try later")
            return super().append(position, rows)

    journal = Down()
    with tenure.open(journal) as store:
        journal.down = True
        with pytest.raises(tenure.Unavailable, match="the line is down") as raised:
            store.add("g", "x")
        assert raised.value.outcome == "refused"
        journal.down = False
        store.add("g", "y")
        assert [task.text() for task in store.tasks(group="g")] == ["y"]


@pytest.mark.parametrize("answer", [None, 5, "x", [1], [(1, "x")], ("a", b""), object()])
@pytest.mark.parametrize("method", ["floor", "read", "append", "snapshots"])
def test_rubbish_is_refused_with_the_method_that_gave_it(method: str, answer: Any) -> None:
    journal = MemoryJournal()
    with tenure.open(journal) as store:
        store.add("g", "x")

    def rubbish(*_: Any) -> Any:
        return answer

    if method == "read" and answer is None:
        return  # that is an answer
    setattr(journal, method, rubbish)

    def use() -> None:
        with tenure.open(journal) as store:
            store.add("g", "y")
            store.snapshot()

    with pytest.raises((TypeError, tenure.TenureError), match=rf"{method}\(\) answered"):
        use()


def test_what_is_no_journal_is_refused() -> None:
    wrong: Any = tenure
    with pytest.raises(TypeError, match="has no identity, floor, read"):
        wrong.open(object())

    class Nameless(MemoryJournal):
        def identity(self) -> bytes:
            return b"short"

    with pytest.raises(TypeError, match="16 bytes"):
        tenure.open(Nameless())


class Stuck(MemoryJournal):
    """One of its methods does not return until it may."""

    method = ""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name and name == super().__getattribute__("method"):
            return lambda *arguments: (self.may_go_on.wait(), found(*arguments))[1]
        return found


@pytest.mark.parametrize("method", ["floor", "read", "append", "publish_snapshot", "snapshots", "sync", "lock"])
def test_a_call_that_does_not_return_is_waited_for_only_so_long(method: str) -> None:
    class Journal(Stuck):
        def sync(self) -> None: ...

        def lock(self, seconds: float) -> bool:
            return True

        def unlock(self) -> None: ...

    journal = Journal()
    store = tenure.open(journal, journal_timeout=0.2, lock_wait=0.1)
    store.add("g", "before")
    journal.method = method
    began = time.monotonic()
    with pytest.raises(tenure.TenureError, match=rf"{method}\(\) was called .* ago and has not returned") as raised:
        for _ in range(3):
            store.add("g", "x")
            store.stats()
            store.snapshot()
    assert isinstance(raised.value, tenure.Unknown if method == "append" else (tenure.Timeout, tenure.Unavailable))
    if method == "append":
        assert raised.value.retry == "with_same_request_id"
    # Others do not wait for it again, each for as long, but hear at once what is the matter.
    with pytest.raises(tenure.TenureError):
        for _ in range(100):
            store.add("g", "y")
            store.stats()
            store.snapshot()
    assert time.monotonic() - began < 10
    journal.may_go_on.set()
    journal.method = ""
    while True:
        try:
            store.add("g", "after")
            break
        except tenure.TenureError:
            assert time.monotonic() - began < 20
    store.close()
    with tenure.open(journal) as again:
        assert {"before", "after"} <= {task.text() for task in again.tasks(group="g")}


def test_a_journal_that_asks_its_own_store_is_told_in_the_end() -> None:
    class Curious(MemoryJournal):
        store: tenure.Store | None = None

        def append(self, position: int, rows: Sequence[bytes]) -> bool:
            if self.store is not None:
                self.store.add("g", "from within")
            return super().append(position, rows)

    journal = Curious()
    store = tenure.open(journal, journal_timeout=0.2)
    journal.store = store
    with pytest.raises(tenure.TenureError, match="has not returned"):
        store.add("g", "x")
    journal.store = None


def test_a_held_task_that_the_collector_finds_in_a_journals_call_is_given_back() -> None:
    class Collecting(MemoryJournal):
        def append(self, position: int, rows: Sequence[bytes]) -> bool:
            gc.collect()
            return super().append(position, rows)

    with tenure.open(Collecting(), journal_timeout=5) as store:
        store.add("g", "x")
        ring: list[Any] = [next(store.claims("g"))]
        ring.append(ring)
        watch = store.watch()
        del ring
        store.add("h", "y")
        while store.group("g").available == 0:
            assert watch.next(5) is not None


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError, StopIteration])
def test_whatever_a_journal_raises_comes_out(raised: type[BaseException]) -> None:
    class Raising(MemoryJournal):
        down = False

        def floor(self) -> tuple[int, bytes]:
            if self.down:
                raise raised("mine")
            return super().floor()

    journal = Raising()
    with tenure.open(journal) as store:
        journal.down = True
        with pytest.raises(raised, match="mine"):
            store.stats()
        journal.down = False
