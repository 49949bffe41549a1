"""Held tasks, and what waits for tasks and events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import tenure

from .. import Cancel, Event, Seconds, Task
from ._pool import Pool, ended

if TYPE_CHECKING:
    from .._native import _Blob, _Wait


class Held:
    """A task that this handle holds. Its lease renews itself; leaving the `async with` block finishes it, and an
    exception there fails it."""

    def __init__(self, held: tenure.Held, pool: Pool) -> None:
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

    async def fail(self, error: str | BaseException, *, delay: Seconds = 0, group: str | None = None) -> None:
        """The work failed: the task is given back with one more failure, to be claimed after `delay`; in another group,
        where one is given."""
        await self._pool.call(self._held.fail, error, delay=delay, group=group)

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
        await ended(ending)
        await ending

    def __repr__(self) -> str:
        return repr(self._held)


def plain(subject: Task | Held | int) -> Task | tenure.Held | int:
    return subject._held if isinstance(subject, Held) else subject


class Claims(AsyncIterator[Held]):
    """One held task after another."""

    def __init__(self, begin: Callable[[Cancel], tenure.Claims], pool: Pool) -> None:
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

    def __init__(self, watch: tenure.Watch, pool: Pool, timeout: _Wait) -> None:
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
