"""Threads for calls and for waits."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from .. import Cancel

_P = ParamSpec("_P")
_T = TypeVar("_T")


def own_thread(call: Callable[[], _T]) -> Future[_T]:
    """Runs a wait on a thread for itself, so that waits never keep other calls from a pool's threads."""
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="tenure-wait", daemon=True).start()
    return future


async def ended(future: asyncio.Future[_T]) -> None:
    """Waits for a future to end, whatever comes meanwhile."""
    while not future.done():
        with contextlib.suppress(BaseException):
            await asyncio.shield(future)


class Pool:
    """The threads of a store."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(64, "tenure")
        self._closed = False

    async def call(self, call: Callable[_P, _T], *args: _P.args, **named: _P.kwargs) -> _T:
        if self._closed:
            # A closed store answers at once, and that it is closed.
            return call(*args, **named)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(call, *args, **named))

    async def wait(self, call: Callable[[Cancel], _T], undo: Callable[[_T], Any] | None = None) -> _T:
        cancel = Cancel(signals=False)
        future = asyncio.wrap_future(own_thread(lambda: call(cancel)))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            cancel.cancel()
            await ended(future)
            if undo is not None and not future.cancelled() and future.exception() is None:
                # It came between the wait's end and the cancellation.
                await ended(asyncio.ensure_future(self.call(undo, future.result())))
            raise

    def shutdown(self) -> None:
        self._closed = True
        self._threads.shutdown(wait=False)
