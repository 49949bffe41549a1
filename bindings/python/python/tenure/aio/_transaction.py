"""Several changes in one piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tenure

from .. import Committed, Record, Seconds, Task
from ._held import Held, plain
from ._pool import Pool

if TYPE_CHECKING:
    from .._native import _Blob, _Depend, _IfExists, _Reason


class Transaction:
    """What is to happen in one piece: all of it, or nothing.

    What only notes down runs at once; what looks at the store, or at a held task, runs on a thread.
    """

    def __init__(self, transaction: tenure.Transaction, pool: Pool) -> None:
        self._tx = transaction
        self._pool = pool

    @property
    def committed(self) -> Committed | None:
        """What was committed, after an `async with` block has ended well."""
        return self._tx.committed

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
    ) -> None:
        """Adds a task."""
        self._tx.add(group, data, json=json, delay=delay, available_at=available_at, key=key, if_exists=if_exists)

    async def update(
        self,
        task: Task | Held | int,
        data: _Blob | None = None,
        *,
        json: Any = ...,
        group: str | None = None,
        delay: Seconds | None = None,
        available_at: Seconds | None = None,
        error: str | None = None,
        force: bool = False,
    ) -> None:
        """Changes a task; what is not named stays as it is."""
        await self._pool.call(
            self._tx.update,
            plain(task),
            data,
            json=json,
            group=group,
            delay=delay,
            available_at=available_at,
            error=error,
            force=force,
        )

    async def finish(self, task: Task | Held | int) -> None:
        """Ends a task whose work is done."""
        await self._pool.call(self._tx.finish, plain(task))

    async def delete(self, task: Task | Held | int, *, reason: _Reason = "deleted") -> None:
        """Ends a task."""
        await self._pool.call(self._tx.delete, plain(task), reason=reason)

    async def release(self, task: Task | Held | int, *, delay: Seconds = 0) -> None:
        """Gives a task back, to be claimed after `delay`."""
        await self._pool.call(self._tx.release, plain(task), delay=delay)

    async def fail(
        self, task: Task | Held | int, error: str | BaseException, *, delay: Seconds = 0, group: str | None = None
    ) -> None:
        """Gives a task back with one more failure, whose text is kept; in another group, where one is given."""
        await self._pool.call(self._tx.fail, plain(task), error, delay=delay, group=group)

    async def depend(self, task: _Depend) -> None:
        """A task that must exist."""
        self._tx.depend(task)

    async def get(self, table: str, key: str) -> Record | None:
        """A record, as this transaction would leave it; the commit is refused should it have changed by then."""
        return await self._pool.call(self._tx.get, table, key)

    async def task(self, id: int) -> Task | None:
        """A task. Should it not exist at the commit, the transaction is refused."""
        return await self._pool.call(self._tx.task, id)

    async def put(
        self, table: str, key: str, value: _Blob, *, expect: int | None = None, expires_at: Seconds | None = None
    ) -> None:
        """Writes a record."""
        self._tx.put(table, key, value, expect=expect, expires_at=expires_at)

    async def remove(self, table: str, key: str) -> None:
        """Removes a record."""
        self._tx.remove(table, key)

    async def increment(
        self, table: str, key: str, by: int = 1, *, min: int | None = None, max: int | None = None
    ) -> None:
        """Adds to a number, at commit."""
        self._tx.increment(table, key, by, min=min, max=max)
