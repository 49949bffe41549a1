"""A store that another process serves."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import Serve

import tenure
import tenure.aio


def test_a_served_store_takes_tokens_and_says_who_is_refused(serve: Serve, tmp_path: Path) -> None:
    secret = "a secret of the tests"
    tokens = tmp_path / "tokens"
    tokens.write_text(json.dumps({"tokens": [{"name": "board", "secret": secret, "grants": [{"scope": "admin"}]}]}))
    tokens.chmod(0o600)
    url = serve("--tokens", str(tokens))
    with pytest.raises(tenure.TenureError):
        tenure.connect(url, retry_for=0)
    with tenure.connect(url, token=secret, owner=7) as store:
        assert store.owner == 7
        assert store.add("g", "x").text() == "x"
    with pytest.raises(tenure.Closed):
        store.add("g", "y")


def test_coroutines_share_a_served_store(serve: Serve) -> None:
    async def work() -> int:
        async with tenure.aio.connect(serve()) as store:
            await asyncio.gather(*(store.add("g", str(n)) for n in range(10)))
            async for held in store.claims("g", idle=0):
                async with held:
                    await store.increment("done", held.text())
            waiting = asyncio.create_task(store.claim("g", wait=None))
            await store.revision()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            task = await store.add("g", "late")
            claimed = await store.claim("g")
            assert claimed is not None
            assert (claimed.origin, claimed.attempt) == (task.id, 1), "the cancelled one holds nothing"
            return len(await store.scan("done"))

    assert asyncio.run(work()) == 10


@pytest.mark.parametrize(
    ("url", "options", "raised"),
    [
        ("nowhere", {}, tenure.Invalid),
        ("http://127.0.0.1:1", {"retry_for": 0}, tenure.Unavailable),
        ("http://127.0.0.1:1", {"retry_for": -1}, tenure.Invalid),
        ("http://127.0.0.1:1", {"ca": "there is no such file"}, FileNotFoundError),
        (7, {}, TypeError),
    ],
)
def test_what_is_wrong_with_an_address_is_said(url: Any, options: dict[str, Any], raised: type[Exception]) -> None:
    with pytest.raises(raised):
        tenure.connect(url, **options)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_the_package_serves_a_store_by_itself_and_ends_when_it_is_told_to(tmp_path: Path, told: signal.Signals) -> None:
    command = [sys.executable, "-m", "tenure", "serve", str(tmp_path / "s"), "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        with tenure.connect(server.stdout.readline().split()[-1]) as store:
            store.add("g", "x")
        server.send_signal(told)
        assert server.wait(30) == 0
    with tenure.open(tmp_path / "s") as store:
        assert store.groups()["g"].tasks == 1
