"""Forked processes: they open their own handle, or are told to at the first call, and the parent notices nothing."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import tenure

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
]

store: tenure.Store | None = None


def in_child(work: Callable[[], object]) -> int:
    """What a forked child exits with: 0 where `work` ends well."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            sys.__stderr__ and print(repr(error), file=sys.__stderr__)
        finally:
            os._exit(code)
    for _ in range(600):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        threading.Event().wait(0.05)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    raise AssertionError("the child hangs")


def test_a_handle_that_was_inherited_says_what_to_do(tmp_path: Path) -> None:
    with tenure.open(tmp_path / "s") as parent:
        parent.add_many("g", ["1", "2", "3"])
        held = next(parent.claims("g"))
        claims, watch, tx = parent.claims("g"), parent.watch(), parent.transaction()

        def child() -> None:
            for call in (
                lambda: parent.add("g", "x"),
                lambda: parent.claim("g", wait=None),
                lambda: parent.get("t", "k"),
                lambda: parent.stats(),
                lambda: parent.flush(),
                lambda: held.finish(),
                lambda: held.renew(),
                lambda: held.data,
                lambda: held.task,
                lambda: next(claims),
                lambda: next(watch),
                lambda: tx.get("t", "k"),
                lambda: parent.transact(lambda tx: tx.add("g", "x")),
            ):
                with pytest.raises(tenure.Closed, match="open the store anew") as raised:
                    call()
                assert raised.value.code == "forked"
            parent.close()
            with tenure.open(tmp_path / "s") as own:
                own.add("child", "x")

        assert in_child(child) == 0
        assert parent.group("child").tasks == 1
        held.finish()
        parent.add("g", "y")
        assert parent.group("g").tasks == 3


def test_a_journal_of_ones_own_is_left_to_the_parent() -> None:
    journal = tenure.journal.MemoryJournal()
    with tenure.open(journal, journal_timeout=5) as parent:
        parent.add("g", "x")
        held = next(parent.claims("g"))

        def child() -> None:
            for call in (lambda: parent.add("g", "y"), lambda: parent.stats(), lambda: held.finish()):
                with pytest.raises(tenure.Closed) as raised:
                    call()
                assert raised.value.code == "forked"
            # What it made in memory before the fork is its own copy, and so is a journal in memory.
            with tenure.open(journal) as own:
                assert own.group("g").tasks == 1

        assert in_child(child) == 0
        held.finish()


def test_a_fork_in_the_middle_of_other_threads_work_leaves_no_lock_behind(tmp_path: Path) -> None:
    with tenure.open(tmp_path / "s", durability="opportunistic") as parent:
        going = True

        def work() -> None:
            while going:
                parent.add("g", "x")
                for held in parent.claims("g", idle=0):
                    held.finish()
                    break

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()

        def child() -> None:
            with pytest.raises(tenure.Closed):
                parent.add("g", "x")
            with tenure.open(tmp_path / "s") as own:
                own.add("child", "x")

        try:
            for _ in range(8):
                assert in_child(child) == 0
        finally:
            going = False
            for thread in threads:
                thread.join(30)
        assert parent.group("child").tasks == 8


def preloaded(number: int) -> str:
    """What a worker does whose server loaded the program before it forked: the program's handle is not its own."""
    assert store is not None
    try:
        store.add("g", str(number))
        return "added"
    except tenure.Closed as error:
        return error.code


def own_handle(place: str) -> int:
    with tenure.open(place) as own:
        done = 0
        for held in own.claims("g", idle=0):
            with held:
                done += 1
        return done


def test_workers_of_multiprocessing_open_their_own_handles(tmp_path: Path) -> None:
    global store
    place = str(tmp_path / "s")
    with tenure.open(place) as store:
        store.add_many("g", [str(i) for i in range(40)])
        with multiprocessing.get_context("fork").Pool(2) as pool:
            assert pool.map(preloaded, range(4)) == ["forked"] * 4
            assert sum(pool.map(own_handle, [place] * 4)) == 40
        assert store.groups() == {}
    store = None
