"""Stores in every place that there is: in memory, in a folder, and served by another process."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tenure

Serve = Callable[..., str]


def pytest_configure() -> None:
    """Where whoever started the tests ignores Ctrl-C, as a shell does for what runs in the background, each process
    that a test starts would ignore it too, and CPython installs no handler there."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves a store until the test ends; answers with its URL."""
    with contextlib.ExitStack() as running:

        def start(*more: str) -> str:
            command = [
                sys.executable,
                "-m",
                "tenure",
                "serve",
                str(tmp_path / "served"),
                "--listen",
                "127.0.0.1:0",
                *more,
            ]
            server = running.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            running.callback(server.kill)
            assert server.stdout is not None
            return server.stdout.readline().split()[-1]

        yield start


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The store's own suite runs everywhere; what needs a clock that stands still does where there can be one."""
    if metafunc.module.__name__ == "test_store" and "tenure_store" in metafunc.fixturenames:
        places = ["memory", "folder"]
        if "tenure_clock" not in metafunc.fixturenames:
            places.append("served")
        metafunc.parametrize("tenure_store", places, indirect=True)


@pytest.fixture
def tenure_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tenure.Store]:
    place = getattr(request, "param", "memory")
    if place == "served":
        store = tenure.connect(request.getfixturevalue("serve")())
    elif place == "folder":
        store = tenure.open(tmp_path / "s", durability="opportunistic", clock=request.getfixturevalue("tenure_clock"))
    else:
        store = tenure.memory(clock=request.getfixturevalue("tenure_clock"))
    with store:
        yield store
