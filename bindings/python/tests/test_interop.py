"""Processes of several languages on one folder, killed at random: every task is committed once, whoever does it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tenure

ROOT = Path(__file__).parents[3]
BATCH, KILLS = 200, 16

PYTHON = """
import sys, time, tenure
folder, name = sys.argv[1:]
with tenure.open(folder) as store:
    for held in store.claims("work", lease=0.5, idle=1.5):
        with held:
            time.sleep(0.002)
            with store.transaction() as tx:
                tx.finish(held)
                tx.put("done", held.text(), name, expect=0)
                tx.increment("by", name)
"""


def fleet() -> dict[str, list[str]]:
    """How a worker of each language is started; folder and name come behind it."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    rust = target / "debug" / "examples" / "fleet"
    if not rust.exists():
        if "CI" in os.environ:
            raise AssertionError(f"{rust} is missing: `cargo build --example fleet` makes it")
        pytest.skip("`cargo build --example fleet` makes the worker in Rust that this test needs")
    return {"rust": [str(rust)], "python": [sys.executable, "-c", PYTHON]}


@pytest.mark.skipif(sys.platform == "win32", reason="it kills by signals")
def test_rust_and_python_processes_commit_every_task_once(tmp_path: Path) -> None:
    workers, folder = fleet(), str(tmp_path / "store")

    def begin(language: str) -> tuple[str, subprocess.Popen[bytes]]:
        return language, subprocess.Popen([*workers[language], folder, language])

    with tenure.open(folder) as store:
        running = [begin(language) for language in workers for _ in range(2)]
        tasks = killed = 0
        began = time.monotonic()
        try:
            # There is work until enough were killed and each language did some, however slowly a process begins here.
            while killed < KILLS or {record.key for record in store.scan("by")} != set(workers):
                assert time.monotonic() - began < 120, store.group("work")
                if store.group("work").tasks < BATCH:
                    store.add_many("work", [str(n) for n in range(tasks, tasks + BATCH)])
                    tasks += BATCH
                time.sleep(random.uniform(0.02, 0.2))
                if killed < KILLS:
                    victim = random.randrange(len(running))
                    language, process = running[victim]
                    process.kill()
                    process.wait()
                    running[victim] = begin(language)
                    killed += 1
            assert store.wait_empty("work", timeout=120)
        finally:
            for _, process in running:
                process.kill()
                process.wait()
        done = {record.key: record.text() for record in store.scan("done", limit=10**6)}
        assert done.keys() == {str(n) for n in range(tasks)}
        counted = {record.key: int(record.value) for record in store.scan("by")}
        assert sum(counted.values()) == tasks
        assert counted == {name: list(done.values()).count(name) for name in counted}
