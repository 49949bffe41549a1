"""The same store for asyncio: nothing blocks the loop, and a cancelled wait holds nothing."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import tenure
import tenure.aio
from tenure.testing import FakeClock


def run(main: Callable[[], Awaitable[Any]]) -> Any:
    async def bounded() -> Any:
        return await asyncio.wait_for(main(), 60)

    return asyncio.run(bounded())


def names(kind: type) -> dict[str, list[str]]:
    """The public calls of a class, each with the names of its parameters."""
    calls = {}
    for name, call in inspect.getmembers(kind, callable):
        if not name.startswith("_"):
            parameters = inspect.signature(call).parameters
            calls[name] = [p for p in parameters if p not in ("self", "stop", "named")]
    return calls


def test_it_has_the_names_of_the_plain_store() -> None:
    plain, aio = names(tenure.Store), names(tenure.aio.Store)
    assert plain.keys() - aio.keys() == {"digest", "weak"}
    assert aio.keys() - plain.keys() == set()
    for name in aio.keys() - {"tasks"}:
        assert aio[name] == plain[name], name
    assert names(tenure.aio.Held) == names(tenure.Held)
    assert names(tenure.aio.Transaction) == names(tenure.Transaction)


def test_tasks_are_added_claimed_and_finished() -> None:
    async def main() -> None:
        async with tenure.aio.memory() as store:
            task = await store.add("g", json=[1])
            assert (await store.find(task.origin)) == task
            async for held in store.claims("g", idle=0):
                async with held:
                    assert held.json() == [1]
                    await held.note("half done")
            assert await store.groups() == {}
            await store.add_many("g", ["a", "b"])
            with pytest.raises(ZeroDivisionError):
                async with await anext_(store.claims("g", order="oldest")):
                    _ = 1 / 0
            (failed,) = [task for task in await store.tasks(group="g") if task.failures]
            assert failed.error == "ZeroDivisionError: division by zero"
            assert await store.tasks([failed.id, 99]) == [failed, None]
            assert len(await store.claim_many("g", limit=5)) == 2
            assert await store.claim("g") is None
            await store.put("t", "k", "v")
            record = await store.get("t", "k")
            assert record is not None
            assert record.text() == "v"
            assert await store.increment("t", "n", 2) == 2
            assert await store.wait_empty("none")
        with pytest.raises(tenure.Closed):
            store.sync.add("g", "x")

    run(main)


async def anext_(claims: AsyncIterator[tenure.aio.Held]) -> tenure.aio.Held:
    return await claims.__anext__()


def test_transactions_are_one_piece() -> None:
    async def main() -> None:
        async with tenure.aio.memory() as store:
            await store.add("g", "x")
            held = await anext_(store.claims("g"))
            async with held, store.transaction() as tx:
                await tx.finish(held)
                await tx.add("h", held.data)
            assert held.ended
            with pytest.raises(ZeroDivisionError):
                async with store.transaction() as tx:
                    await tx.add("h", "never")
                    _ = 1 / 0

            async def count(tx: tenure.aio.Transaction) -> int:
                record = await tx.get("t", "n")
                number = int(record.value) + 1 if record else 1
                await tx.put("t", "n", str(number))
                return number

            counted = await asyncio.gather(*(store.transact(count, retries=100) for _ in range(8)))
            assert sorted(counted) == list(range(1, 9))
            assert (await store.group("h")).tasks == 1

    run(main)


def test_a_cancelled_wait_holds_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with tenure.aio.open(tmp_path / "s", durability="opportunistic") as store:
            for round in range(40):
                waits = [
                    asyncio.ensure_future(store.claim("g", wait=None)),
                    asyncio.ensure_future(store.claim_many("g", limit=2, wait=30)),
                    asyncio.ensure_future(anext_(store.claims("g"))),
                ]
                adding = asyncio.ensure_future(store.add("g", "x"))
                # Cancelled before, during and after the add, whatever the threads make of it.
                await asyncio.sleep(0.0005 * (round % 8))
                for wait in waits:
                    wait.cancel()
                task = await adding
                got = await asyncio.gather(*waits, return_exceptions=True)
                for result in got:
                    if isinstance(result, tenure.Task):
                        await store.finish(result)
                    elif isinstance(result, tenure.aio.Held):
                        await result.finish()
                    elif isinstance(result, list):
                        for each in result:
                            await store.finish(each)
                    else:
                        assert isinstance(result, asyncio.CancelledError)
                left = await store.find(task.origin)
                if left is not None:
                    assert left.owner == 0, "a cancelled wait holds a task"
                    await store.finish(left)

    run(main)


def test_a_time_limit_ends_a_wait() -> None:
    async def main() -> None:
        async with tenure.aio.memory() as store:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(store.claim("g", wait=None), 0.05)
            await store.add("other", "x")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(store.wait_empty("other"), 0.05)
            watch = await store.watch()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(watch.next(None), 0.05)
            await store.add("g", "x")
            event = await watch.next(5)
            assert event is not None
            assert event.changes[0].place == "g"
            assert await store.claim("g") is not None

    run(main)


def test_many_waits_leave_room_for_other_calls() -> None:
    async def main() -> None:
        async with tenure.aio.memory() as store:
            waits = [asyncio.ensure_future(store.claim("g", wait=None)) for _ in range(100)]
            await store.add_many("g", [str(i) for i in range(100)])
            tasks = await asyncio.gather(*waits)
            assert sorted(int(task.text()) for task in tasks if task) == list(range(100))

    run(main)


def test_the_loop_goes_on_while_calls_wait_for_the_disk(tmp_path: Path) -> None:
    async def main() -> float:
        longest = 0.0
        going = True

        async def beat() -> None:
            nonlocal longest
            while going:
                began = time.monotonic()
                await asyncio.sleep(0.001)
                longest = max(longest, time.monotonic() - began)

        async with tenure.aio.open(tmp_path / "s") as store:
            beating = asyncio.ensure_future(beat())
            waiting = asyncio.ensure_future(store.claim("none", wait=None))
            for _ in range(5):
                await asyncio.gather(*(store.add("g", "x") for _ in range(64)))
            going = False
            await beating
            waiting.cancel()
        return longest

    # A loop that is blocked stands still for as long as somebody waits, and that is for ever here.
    assert run(main) < 2


def test_one_store_serves_two_loops() -> None:
    store = tenure.aio.Store(tenure.memory())
    done: list[tenure.Task | None] = []

    def work() -> None:
        done.append(asyncio.run(store.claim("g", wait=30)))

    thread = threading.Thread(target=work)
    thread.start()
    asyncio.run(store.add("g", "x"))
    thread.join(30)
    assert [task and task.text() for task in done] == ["x"]
    asyncio.run(store.close())


def test_a_fake_clock_wakes_coroutines(tenure_clock: FakeClock) -> None:
    async def main() -> None:
        async with tenure.aio.memory(clock=tenure_clock) as store:
            await store.add("g", "x", delay=60)
            waiting = asyncio.ensure_future(store.claim("g", wait=None))
            await asyncio.sleep(0)
            tenure_clock.advance(60)
            task = await waiting
            assert task is not None

    run(main)


def test_closing_ends_waits() -> None:
    async def main() -> None:
        store = await tenure.aio.memory()
        waiting = asyncio.ensure_future(store.claim("g", wait=None))
        await store.add("other", "x")
        await store.close()
        with pytest.raises(tenure.Closed):
            await waiting
        with pytest.raises(tenure.Closed):
            await store.add("g", "x")

    run(main)
