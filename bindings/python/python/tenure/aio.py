"""The same store for asyncio: the names of `Store` as coroutines and async iterators.

No call blocks the loop: each runs on a thread of its own pool, and what waits (a claim with `wait`, `claims`,
`wait_empty`, `watch`) on a thread for itself. A cancelled wait holds nothing: what it got, it gives back before the
cancellation goes on. A cancelled write may or may not have been committed; with a `request_id` a repeat is told.

>>> import asyncio, tenure.aio
>>> async def main():
...     async with tenure.aio.memory() as store:
...         await store.add_many("map", ["part-1", "part-2"])
...         async for held in store.claims("map", idle=0):
...             async with held:
...                 await store.add("reduce", held.data.upper())
...         return (await store.group("reduce")).tasks
>>> asyncio.run(main())
2
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self, TypeVar, overload

import tenure

from . import Cancel, Committed, Event, GroupStats, Record, Seconds, Task, Transaction

if TYPE_CHECKING:
    from ._native import _Blob, _Depend, _IfExists, _Order, _Part, _State, _Wait

__all__ = ["Claims", "Held", "Store", "Watch", "memory", "open"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _own_thread(call: Callable[[], _T]) -> Future[_T]:
    """Runs a wait on a thread for itself, so that waits never keep other calls from a pool's threads."""
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="tenure-wait", daemon=True).start()
    return future


async def _ended(future: asyncio.Future[_T]) -> None:
    """Waits for a future to end, whatever comes meanwhile."""
    while not future.done():
        with contextlib.suppress(BaseException):
            await asyncio.shield(future)


class _Pool:
    """The threads of a store."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(64, "tenure")

    async def call(self, call: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(call, *args, **named))

    async def wait(self, call: Callable[[Cancel], _T], undo: Callable[[_T], Any] | None = None) -> _T:
        cancel = Cancel(signals=False)
        future = asyncio.wrap_future(_own_thread(lambda: call(cancel)))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            cancel.cancel()
            await _ended(future)
            if undo is not None and not future.cancelled() and future.exception() is None:
                # It came between the wait's end and the cancellation.
                await _ended(asyncio.ensure_future(self.call(undo, future.result())))
            raise

    def shutdown(self) -> None:
        self._threads.shutdown(wait=False)


class Held:
    """A task that this handle holds. Its lease renews itself; leaving the `async with` block finishes it, and an
    exception there fails it."""

    def __init__(self, held: tenure.Held, pool: _Pool) -> None:
        self._held = held
        self._pool = pool
        self._task = held.task

    @property
    def task(self) -> Task:
        """The task as it is now."""
        return self._held.task

    @property
    def data(self) -> bytes:
        """The work."""
        return self._task.data

    @property
    def lost(self) -> bool:
        """Whether the lease is lost: nothing that is done now can be committed with it."""
        return self._held.lost

    @property
    def ended(self) -> bool:
        """Whether it was finished, failed or given back."""
        return self._held.ended

    def text(self) -> str:
        """The work as text."""
        return self._task.text()

    def json(self) -> Any:
        """What the work, which is JSON, decodes to."""
        return self._task.json()

    def check(self) -> None:
        """Raises `LeaseLost`, with all that is known, once the lease is lost."""
        self._held.check()

    async def renew(self) -> None:
        """Renews the lease now."""
        await self._pool.call(self._held.renew)

    async def note(self, text: str) -> None:
        """Keeps a text with the task, as its `error`, for those who look."""
        await self._pool.call(self._held.note, text)

    async def save(self, data: _Blob) -> None:
        """Changes the data, so that whoever goes on after a crash starts from there."""
        await self._pool.call(self._held.save, data)
        self._task = self._held.task

    async def finish(self) -> None:
        """The work is done."""
        await self._pool.call(self._held.finish)

    async def fail(self, error: str | BaseException, *, delay: Seconds = 0) -> None:
        """The work failed: the task is given back with one more failure, to be claimed after `delay`."""
        await self._pool.call(self._held.fail, error, delay=delay)

    async def release(self, *, delay: Seconds = 0) -> None:
        """Gives the task back, to be claimed after `delay`."""
        await self._pool.call(self._held.release, delay=delay)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Carried through even where the task that holds it is cancelled meanwhile.
        ending = asyncio.ensure_future(self._pool.call(self._held.__exit__, kind, value, traceback))
        await _ended(ending)
        await ending

    def __repr__(self) -> str:
        return repr(self._held)


def _plain(subject: Task | Held | int) -> Task | tenure.Held | int:
    return subject._held if isinstance(subject, Held) else subject


def _next(iterator: Any) -> Any:
    return next(iterator, None)


class Claims(AsyncIterator[Held]):
    """One held task after another."""

    def __init__(self, begin: Callable[[Cancel], tenure.Claims], pool: _Pool) -> None:
        self._begin = begin
        self._pool = pool

    async def __anext__(self) -> Held:
        def claim(cancel: Cancel) -> tenure.Held | None:
            found: tenure.Held | None = next(self._begin(cancel), None)
            return found

        held = await self._pool.wait(claim, lambda held: held and held.release())
        if held is None:
            raise StopAsyncIteration
        return Held(held, self._pool)


class Watch(AsyncIterator[Event]):
    """Committed entries from the moment when it was made."""

    def __init__(self, watch: tenure.Watch, pool: _Pool, timeout: _Wait) -> None:
        self._watch = watch
        self._pool = pool
        self._timeout = timeout

    async def next(self, timeout: _Wait = 0) -> Event | None:
        """The next event; `None` when none has come within `timeout` seconds."""
        return await self._pool.wait(lambda cancel: self._watch.next(timeout, stop=cancel))

    async def __anext__(self) -> Event:
        event = await self.next(self._timeout)
        if event is None:
            raise StopAsyncIteration
        return event


class Store:
    """A handle on a store; see `tenure.Store` for what its calls do."""

    def __init__(self, store: tenure.Store) -> None:
        self._store = store
        self._pool = _Pool()

    @property
    def sync(self) -> tenure.Store:
        """The same handle without asyncio."""
        return self._store

    @property
    def identity(self) -> str:
        """The store's identity: random, drawn when it was created."""
        return self._store.identity

    @property
    def owner(self) -> int:
        """The owner of what this handle claims."""
        return self._store.owner

    @property
    def actor(self) -> str:
        """The label of who does it."""
        return self._store.actor

    def now(self) -> float:
        """The time by this handle's clock, in seconds since the Epoch."""
        return self._store.now()

    async def add(
        self,
        group: str,
        data: _Blob = b"",
        *,
        json: Any = ...,
        delay: Seconds = 0,
        available_at: Seconds | None = None,
        key: str | None = None,
        if_exists: _IfExists = "refuse",
        request_id: str | None = None,
    ) -> Task:
        return await self._pool.call(
            self._store.add,
            group,
            data,
            json=json,
            delay=delay,
            available_at=available_at,
            key=key,
            if_exists=if_exists,
            request_id=request_id,
        )

    async def add_many(
        self, group: str, items: Iterable[_Blob], *, delay: Seconds = 0, request_id: str | None = None
    ) -> list[Task]:
        return await self._pool.call(self._store.add_many, group, list(items), delay=delay, request_id=request_id)

    async def claim(
        self,
        *groups: str,
        lease: Seconds = 60,
        wait: _Wait = 0,
        order: _Order = "random",
        depends: Iterable[_Depend] = (),
        request_id: str | None = None,
    ) -> Task | None:
        def claim(cancel: Cancel) -> Task | None:
            return self._store.claim(
                *groups, lease=lease, wait=wait, order=order, depends=depends, stop=cancel, request_id=request_id
            )

        return await self._pool.wait(claim, lambda task: task and self._store.release(task))

    async def claim_many(
        self,
        *groups: str,
        limit: int,
        lease: Seconds = 60,
        wait: _Wait = 0,
        order: _Order = "random",
        depends: Iterable[_Depend] = (),
        request_id: str | None = None,
    ) -> list[Task]:
        def claim(cancel: Cancel) -> list[Task]:
            return self._store.claim_many(
                *groups,
                limit=limit,
                lease=lease,
                wait=wait,
                order=order,
                depends=depends,
                stop=cancel,
                request_id=request_id,
            )

        def undo(tasks: list[Task]) -> None:
            if tasks:
                self._store.update(updates=[{"task": task, "verb": "release"} for task in tasks])

        return await self._pool.wait(claim, undo)

    def claims(
        self, *groups: str, lease: Seconds = 60, idle: Seconds | None = None, order: _Order = "random"
    ) -> Claims:
        def begin(cancel: Cancel) -> tenure.Claims:
            return self._store.claims(*groups, lease=lease, idle=idle, stop=cancel, order=order)

        return Claims(begin, self._pool)

    async def hold(self, task: Task, lease: Seconds = 60) -> Held:
        return Held(await self._pool.call(self._store.hold, task, lease), self._pool)

    async def renew(self, task: Task | Held | int, lease: Seconds = 60) -> Task:
        return await self._pool.call(self._store.renew, _plain(task), lease)

    async def release(self, task: Task | Held | int, *, delay: Seconds = 0) -> Task:
        return await self._pool.call(self._store.release, _plain(task), delay=delay)

    async def finish(self, task: Task | Held | int) -> None:
        await self._pool.call(self._store.finish, _plain(task))

    async def fail(self, task: Task | Held | int, error: str | BaseException, *, delay: Seconds = 0) -> Task:
        return await self._pool.call(self._store.fail, _plain(task), error, delay=delay)

    async def cancel(self, task: Task | Held | int, *, force: bool = False) -> None:
        await self._pool.call(self._store.cancel, _plain(task), force=force)

    async def move_to(self, task: Task | Held | int, group: str) -> Task:
        return await self._pool.call(self._store.move_to, _plain(task), group)

    async def requeue(self, task: Task | Held | int, *, group: str | None = None, delay: Seconds = 0) -> Task:
        return await self._pool.call(self._store.requeue, _plain(task), group=group, delay=delay)

    async def find(self, origin: int) -> Task | None:
        return await self._pool.call(self._store.find, origin)

    async def by_key(self, group: str, key: str) -> Task | None:
        return await self._pool.call(self._store.by_key, group, key)

    async def task(self, id: int) -> Task | None:
        return await self._pool.call(self._store.task, id)

    @overload
    async def tasks(self, ids: Sequence[int]) -> list[Task | None]: ...
    @overload
    async def tasks(
        self,
        ids: None = None,
        *,
        group: str | None = None,
        state: _State = "all",
        limit: int = 1000,
        after: int = 0,
    ) -> list[Task]: ...
    async def tasks(self, ids: Sequence[int] | None = None, **named: Any) -> list[Task | None] | list[Task]:
        call: Callable[[], list[Task | None] | list[Task]] = functools.partial(self._store.tasks, ids, **named)
        return await self._pool.call(call)

    async def groups(self) -> dict[str, GroupStats]:
        return await self._pool.call(self._store.groups)

    async def group(self, name: str) -> GroupStats:
        return await self._pool.call(self._store.group, name)

    async def wait_empty(self, *groups: str, timeout: _Wait = None) -> bool:
        return await self._pool.wait(lambda cancel: self._store.wait_empty(*groups, timeout=timeout, stop=cancel))

    async def pause(self, group: str, paused: bool = True) -> int:
        return await self._pool.call(self._store.pause, group, paused)

    async def transact(
        self,
        fn: Callable[[Transaction], Awaitable[_T]] | Callable[[Transaction], _T],
        *,
        retries: int = 16,
        request_id: str | None = None,
    ) -> _T:
        """As `tenure.Store.transact`. A coroutine function runs on the loop, any other on a thread."""
        loop = asyncio.get_running_loop()

        def body(tx: Transaction) -> Any:
            if not asyncio.iscoroutinefunction(fn):
                return fn(tx)
            return asyncio.run_coroutine_threadsafe(fn(tx), loop).result()

        result: _T = await self._pool.call(self._store.transact, body, retries=retries, request_id=request_id)
        return result

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction for an `async with` block. Its own calls are plain ones: only `get` and `task` look at
        the store."""
        tx = self._store.transaction()
        try:
            yield tx
        except BaseException as error:
            tx.__exit__(type(error), error, error.__traceback__)
            raise
        await self._pool.call(tx.__exit__, None, None, None)

    async def update(
        self,
        *,
        adds: Iterable[_Part] = (),
        updates: Iterable[_Part] = (),
        deletes: Iterable[Task | int | _Part] = (),
        depends: Iterable[_Depend] = (),
        puts: Iterable[_Part] = (),
        removes: Iterable[tuple[str, str] | _Part] = (),
        increments: Iterable[_Part] = (),
        guards: Iterable[_Part] = (),
        depends_only: bool = False,
        owner: int | None = None,
        request_id: str | None = None,
    ) -> Committed:
        return await self._pool.call(
            self._store.update,
            adds=adds,
            updates=updates,
            deletes=deletes,
            depends=depends,
            puts=puts,
            removes=removes,
            increments=increments,
            guards=guards,
            depends_only=depends_only,
            owner=owner,
            request_id=request_id,
        )

    async def get(self, table: str, key: str) -> Record | None:
        return await self._pool.call(self._store.get, table, key)

    async def put(
        self, table: str, key: str, value: _Blob, *, expect: int | None = None, expires_at: Seconds | None = None
    ) -> int:
        return await self._pool.call(self._store.put, table, key, value, expect=expect, expires_at=expires_at)

    async def remove(self, table: str, key: str, *, expect: int | None = None) -> int:
        return await self._pool.call(self._store.remove, table, key, expect=expect)

    async def scan(self, table: str, *, prefix: str = "", limit: int = 1000, after: str | None = None) -> list[Record]:
        return await self._pool.call(self._store.scan, table, prefix=prefix, limit=limit, after=after)

    async def increment(
        self, table: str, key: str, by: int = 1, *, min: int | None = None, max: int | None = None
    ) -> int:
        return await self._pool.call(self._store.increment, table, key, by, min=min, max=max)

    async def snapshot(self) -> int:
        return await self._pool.call(self._store.snapshot)

    async def flush(self) -> None:
        await self._pool.call(self._store.flush)

    async def revision(self) -> int:
        return await self._pool.call(self._store.revision)

    async def stats(self) -> dict[str, Any]:
        return await self._pool.call(self._store.stats)

    async def watch(self, *, timeout: _Wait = None) -> Watch:
        return Watch(await self._pool.call(self._store.watch), self._pool, timeout)

    async def close(self) -> None:
        closing = asyncio.ensure_future(self._pool.call(self._store.close))
        await _ended(closing)
        self._pool.shutdown()
        await closing

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class _Opening:
    """A store that is opened by `await`, or by `async with`."""

    def __init__(self, opening: Callable[[], tenure.Store]) -> None:
        self._opening = opening
        self._store: Store | None = None

    def __await__(self) -> Any:
        return self._open().__await__()

    async def _open(self) -> Store:
        return Store(await asyncio.wrap_future(_own_thread(self._opening)))

    async def __aenter__(self) -> Store:
        self._store = await self._open()
        return self._store

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[None]:
        if self._store is not None:
            await self._store.close()


@functools.wraps(tenure.open)
def open(*args: Any, **named: Any) -> _Opening:
    return _Opening(lambda: tenure.open(*args, **named))


@functools.wraps(tenure.memory)
def memory(*args: Any, **named: Any) -> _Opening:
    return _Opening(lambda: tenure.memory(*args, **named))
