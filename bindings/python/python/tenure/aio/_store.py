"""The handle."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import tenure

from .. import Cancel, Committed, GroupStats, Record, Seconds, Task
from ._held import Claims, Held, Watch, plain
from ._pool import Pool, ended, own_thread
from ._transaction import Transaction

if TYPE_CHECKING:
    from .._native import _Blob, _Depend, _IfExists, _Order, _Part, _State, _Wait

_T = TypeVar("_T")


class Store:
    """A handle on a store; see `tenure.Store` for what its calls do."""

    def __init__(self, store: tenure.Store) -> None:
        self._store = store
        self._pool = Pool()

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
        owner: int | None = None,
        request_id: str | None = None,
    ) -> Task | None:
        def claim(cancel: Cancel) -> Task | None:
            return self._store.claim(
                *groups,
                lease=lease,
                wait=wait,
                order=order,
                depends=depends,
                stop=cancel,
                owner=owner,
                request_id=request_id,
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
        owner: int | None = None,
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
                owner=owner,
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
        return await self._pool.call(self._store.renew, plain(task), lease)

    async def release(self, task: Task | Held | int, *, delay: Seconds = 0) -> Task:
        return await self._pool.call(self._store.release, plain(task), delay=delay)

    async def finish(self, task: Task | Held | int) -> None:
        await self._pool.call(self._store.finish, plain(task))

    async def fail(
        self, task: Task | Held | int, error: str | BaseException, *, delay: Seconds = 0, group: str | None = None
    ) -> Task:
        return await self._pool.call(self._store.fail, plain(task), error, delay=delay, group=group)

    async def cancel(self, task: Task | Held | int, *, force: bool = False) -> None:
        await self._pool.call(self._store.cancel, plain(task), force=force)

    async def move_to(self, task: Task | Held | int, group: str) -> Task:
        return await self._pool.call(self._store.move_to, plain(task), group)

    async def requeue(self, task: Task | Held | int, *, group: str | None = None, delay: Seconds = 0) -> Task:
        return await self._pool.call(self._store.requeue, plain(task), group=group, delay=delay)

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
        fn: Callable[[Transaction], Coroutine[Any, Any, _T]],
        *,
        retries: int = 16,
        request_id: str | None = None,
    ) -> _T:
        """Awaits `fn` with a transaction and commits what it asked for; answers with what `fn` answered. Where a record
        that it read has changed meanwhile, `fn` is called again."""
        loop = asyncio.get_running_loop()

        def body(tx: tenure.Transaction) -> _T:
            return asyncio.run_coroutine_threadsafe(fn(Transaction(tx, self._pool)), loop).result()

        # On a thread for itself: it stands still while `fn` runs, and what `fn` awaits needs the pool.
        return await asyncio.wrap_future(
            own_thread(lambda: self._store.transact(body, retries=retries, request_id=request_id))
        )

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction for an `async with` block, as `tenure.Store.transaction` for a `with` block."""
        tx = self._store.transaction()
        try:
            yield Transaction(tx, self._pool)
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
        await ended(closing)
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
