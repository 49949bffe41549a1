"""Waits: what wakes them, and what ends them."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Serve

import tenure
from tenure.testing import FakeClock


class Waiting:
    """A call on a thread of its own."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, args=(call,))
        self.thread.start()

    def _run(self, call: Callable[[], Any]) -> None:
        try:
            self.result = call()
        except BaseException as error:
            self.error = error

    def join(self) -> Any:
        self.thread.join(30)
        assert not self.thread.is_alive(), "it waits on"
        if self.error is not None:
            raise self.error
        return self.result


def test_a_wait_of_none_returns_at_once_and_one_of_a_while_ends() -> None:
    with tenure.memory() as store:
        began = time.monotonic()
        assert store.claim("g") is None
        assert store.claim("g", wait=0.05) is None
        assert store.claim_many("g", limit=3, wait=0.05) == []
        assert 0.1 <= time.monotonic() - began < 20


@pytest.mark.parametrize("wait", [None, float("inf"), 30])
def test_a_waiting_claim_gets_what_is_added(wait: float | None) -> None:
    with tenure.memory() as store:
        waiting = Waiting(lambda: store.claim("low", "g", wait=wait))
        store.add("g", "x")
        assert waiting.join().text() == "x"


def test_a_clock_that_is_advanced_wakes_waits_and_ends_leases(
    tenure_store: tenure.Store, tenure_clock: FakeClock
) -> None:
    store = tenure_store
    store.add("g", "x", delay=60)
    waiting = Waiting(lambda: store.claim("g", wait=None, lease=30))
    tenure_clock.advance(60)
    first = waiting.join()
    waiting = Waiting(lambda: store.claim("g", wait=None))
    tenure_clock.advance(30)
    second = waiting.join()
    assert second.id > first.id
    with pytest.raises(tenure.Rejected):
        store.finish(first.id)
    store.finish(second)
    waiting = Waiting(lambda: store.claim("g", wait=10))
    while waiting.thread.is_alive():
        tenure_clock.advance(1)
    assert waiting.join() is None


def test_claims_end_after_idle_seconds(tenure_store: tenure.Store, tenure_clock: FakeClock) -> None:
    tenure_store.add("g", "x")
    claims = tenure_store.claims("g", idle=5)
    with next(claims):
        pass
    waiting = Waiting(lambda: next(claims, None))
    while waiting.thread.is_alive():
        tenure_clock.advance(1)
    assert waiting.join() is None


@pytest.mark.parametrize("make", [tenure.Cancel, threading.Event])
def test_a_wait_is_cancelled_and_holds_nothing(make: Callable[[], Any]) -> None:
    stop = make()
    with tenure.memory() as store:
        waits = [
            Waiting(lambda: store.claim("g", wait=None, stop=stop)),
            Waiting(lambda: store.claim_many("g", limit=2, wait=None, stop=stop)),
            Waiting(lambda: store.watch(stop=stop).next(None)),
            Waiting(lambda: next(store.watch(stop=stop))),
        ]
        store.add("other", "x")
        idle = Waiting(lambda: list(store.claims("g", stop=stop)))
        empty = Waiting(lambda: store.wait_empty("other", stop=stop))
        stop.set() if isinstance(stop, threading.Event) else stop.cancel()
        for waiting in waits[:2]:
            with pytest.raises(tenure.Timeout) as raised:
                waiting.join()
            assert raised.value.code == "cancelled"
            assert isinstance(raised.value, TimeoutError)
        with pytest.raises(tenure.Timeout):
            empty.join()
        assert idle.join() == []
        for waiting in waits[2:]:
            # They may have seen the add before they were cancelled.
            with contextlib.suppress(tenure.Timeout):
                waiting.join()
        assert store.add("g", "x").owner == 0
        assert store.claim("g") is not None


def test_what_an_event_raises_comes_out() -> None:
    class Broken:
        def is_set(self) -> bool:
            raise ZeroDivisionError

    with tenure.memory() as store:
        with pytest.raises(ZeroDivisionError):
            store.claim("g", wait=None, stop=Broken())
        with pytest.raises(ZeroDivisionError):
            next(store.claims("g", stop=Broken()))


def test_closing_ends_waits() -> None:
    store = tenure.memory()
    waits = [Waiting(lambda: store.claim("g", wait=None)), Waiting(lambda: next(store.claims("g")))]
    while store.stats()["revision"] != 0 or any(not waiting.thread.is_alive() for waiting in waits):
        pass
    store.close()
    for waiting in waits:
        with pytest.raises(tenure.Closed):
            waiting.join()


def test_wait_empty_says_whether_it_came_true() -> None:
    with tenure.memory() as store:
        assert store.wait_empty("g", timeout=0)
        task = store.add("g", "x")
        assert not store.wait_empty("g", timeout=0.01)
        waiting = Waiting(lambda: store.wait_empty("g"))
        store.finish(task)
        assert waiting.join() is True


def test_other_threads_run_while_one_waits() -> None:
    with tenure.memory() as store:
        waits = [Waiting(lambda: store.claim("g", wait=None)) for _ in range(8)]
        store.add_many("g", [str(i) for i in range(8)])
        assert sorted(waiting.join().text() for waiting in waits) == [str(i) for i in range(8)]


INTERRUPTED = """
import fcntl, os, signal, sys, threading, time, tenure
place = sys.argv[1]
served = place.startswith("http")
store = tenure.memory() if place == "memory" else tenure.connect(place) if served else tenure.open(place)

def locked(call):
    # As if another process were stopped while it holds the lock.
    with open(os.path.join(sys.argv[1], "lock"), "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        call()

def behind(call):
    # Another thread waits for the lock, and this one for that thread.
    def wait():
        for n in range(2):
            threading.Thread(target=store.add, args=("other",), daemon=True).start()
        while True:
            call()
    locked(wait)

class Stuck(tenure.journal.MemoryJournal):
    ready = False

    def append(self, position, rows):
        if self.ready:
            threading.Event().wait()
        return super().append(position, rows)

stuck = Stuck()
on_stuck = tenure.open(stuck)
stuck.ready = True
clock = tenure.FakeClock()
still = tenure.memory(clock=clock)
still.add("full", "x")
watch = store.watch()
call = sys.argv[2]
print("waits", flush=True)
try:
    eval(call)
except KeyboardInterrupt:
    print("interrupted", time.time(), store.claim("g") is None, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize(
    "call",
    [
        "locked(lambda: store.add('g'))",
        "locked(lambda: store.claim('g', wait=None))",
        "locked(lambda: tenure.open(sys.argv[1], create=False).add('g'))",
        "behind(lambda: store.add('g'))",
        "behind(lambda: store.claim('other'))",
        "behind(lambda: store.group('other'))",
    ],
)
def test_an_interrupt_ends_a_wait_for_the_lock(call: str, tmp_path: Path) -> None:
    interrupted(str(tmp_path / "s"), call)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("call", ["store.claim('g', wait=None)", "next(store.claims('g'))", "next(watch)"])
def test_an_interrupt_ends_a_wait_on_a_served_store(call: str, serve: Serve) -> None:
    interrupted(serve(), call)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
@pytest.mark.parametrize("place", ["memory", "folder"])
@pytest.mark.parametrize(
    "call",
    [
        "on_stuck.add('g')",
        "store.claim('g', wait=None)",
        "store.claim('g', wait=100, stop=threading.Event())",
        "next(store.claims('g'))",
        "still.claim('g', wait=None)",
        "still.wait_empty('full')",
        "next(watch)",
        "still.watch().next(9)",
    ],
)
def test_an_interrupt_ends_a_wait_within_a_tenth_of_a_second(place: str, call: str, tmp_path: Path) -> None:
    interrupted("memory" if place == "memory" else str(tmp_path / "s"), call)


def interrupted(where: str, call: str) -> None:
    command = [sys.executable, "-c", INTERRUPTED, where, call]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waits\n"
        time.sleep(0.2)  # so that it is well within its wait; earlier would be no fault, only no test
        sent = time.time()
        process.send_signal(signal.SIGINT)
        word, at, nothing_held = process.stdout.readline().split()
    assert word == "interrupted"
    assert nothing_held == "True"
    # Twice of what is promised: this machine may have other work.
    assert float(at) - sent < 0.2


def test_a_handler_that_does_not_raise_leaves_the_wait_alone() -> None:
    called: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: called.append(number))
    try:
        with tenure.memory() as store:
            threading.Timer(0.05, signal.raise_signal, [signal.SIGTERM]).start()
            assert store.claim("g", wait=0.3) is None
        assert called == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
