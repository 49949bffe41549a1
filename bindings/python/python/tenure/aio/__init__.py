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
import functools
from collections.abc import Callable
from types import TracebackType
from typing import Any, Literal

import tenure

from ._held import Claims, Held, Watch
from ._pool import own_thread
from ._store import Store
from ._transaction import Transaction

__all__ = ["Claims", "Held", "Store", "Transaction", "Watch", "connect", "memory", "open"]


class _Opening:
    """A store that is opened by `await`, or by `async with`."""

    def __init__(self, opening: Callable[[], tenure.Store]) -> None:
        self._opening = opening
        self._store: Store | None = None

    def __await__(self) -> Any:
        return self._open().__await__()

    async def _open(self) -> Store:
        return Store(await asyncio.wrap_future(own_thread(self._opening)))

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


@functools.wraps(tenure.connect)
def connect(*args: Any, **named: Any) -> _Opening:
    return _Opening(lambda: tenure.connect(*args, **named))


@functools.wraps(tenure.memory)
def memory(*args: Any, **named: Any) -> _Opening:
    return _Opening(lambda: tenure.memory(*args, **named))
