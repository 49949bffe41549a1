"""The soak: README.md beside it says what it does."""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import tenure

HERE = Path(__file__).resolve().parent
#: How long what takes a moment may take on a machine that has much else to do.
PATIENCE = 180.0


class Failure(Exception):
    """What was promised did not come true."""


@dataclass
class Program:
    """One that runs until it is killed or told to stop."""

    name: str
    command: list[str]
    process: subprocess.Popen[str]
    lives: int = 1


class Soak:
    def __init__(self, asked: argparse.Namespace, folder: Path) -> None:
        self.asked = asked
        self.draw = random.Random(asked.seed)
        self.place = folder / "work.tenure"
        self.control = folder / "control"
        self.control.mkdir()
        self.said: IO[str] = (folder / "said").open("w")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        serve = [asked.program, "serve", str(self.place), "--listen", f"127.0.0.1:{port}"]
        self.server = Program("server", serve, self.start(serve, subprocess.PIPE))
        self.listening(self.server)
        self.workers = [
            self.worker("rust", [asked.rust], self.url),
            self.worker("python", [sys.executable, str(HERE / "worker.py")], self.url),
            self.worker("node", [asked.node, str(HERE / "worker.js")], self.url),
            self.worker("embedded", [sys.executable, str(HERE / "worker.py")], str(self.place)),
        ]
        self.kills: Counter[str] = Counter()

    def start(self, command: list[str], out: int | IO[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=self.said, text=True)

    def listening(self, server: Program) -> None:
        line = server.process.stdout.readline() if server.process.stdout else ""
        if not line.startswith("serving"):
            raise Failure(f"the server did not start: it said {line!r}")

    def worker(self, name: str, command: list[str], place: str) -> Program:
        program = Program(name, [*command, place], None)  # type: ignore[arg-type]
        self.revive(program, 1)
        return program

    def revive(self, worker: Program, life: int) -> None:
        name = f"{worker.name}-{life}"
        worker.lives = life
        worker.process = self.start([*worker.command, name, f"{self.asked.seed}/{name}", str(self.control)], self.said)

    def kill(self, program: Program) -> None:
        program.process.send_signal(signal.SIGKILL)
        program.process.wait()
        self.kills[program.name] += 1

    def look(self) -> None:
        """Nobody ends but those who are killed."""
        for program in [self.server, *self.workers]:
            if program.process.poll() is not None:
                raise Failure(f"{program.name} ended by itself with {program.process.returncode}")

    def harm(self) -> None:
        if self.draw.random() < 0.6:
            self.kill(self.server)
            time.sleep(self.draw.uniform(0, 1))
            self.server.process = self.start(self.server.command, subprocess.PIPE)
            self.listening(self.server)
        else:
            worker = self.draw.choice(self.workers)
            self.kill(worker)
            self.revive(worker, worker.lives + 1)

    def run(self) -> str:
        until = time.monotonic() + self.asked.seconds
        while time.monotonic() < until:
            time.sleep(min(self.draw.uniform(0.5, 4), max(until - time.monotonic(), 0)))
            self.look()
            self.harm()
        (self.control / "drain").touch()
        with tenure.open(self.place, lock_wait=60) as store:
            if not self.drained(store):
                raise Failure(f"after {PATIENCE:.0f} s without a kill {store.group('work').tasks} tasks are left")
            (self.control / "stop").touch()
            for worker in self.workers:
                if worker.process.wait(PATIENCE) != 0:
                    raise Failure(f"{worker.name} ended with {worker.process.returncode}")
            self.server.process.terminate()
            if self.server.process.wait(PATIENCE) != 0:
                raise Failure(f"the server ended with {self.server.process.returncode} when it was told to")
            outcome = self.judge(store)
        subprocess.run([self.asked.program, "verify", str(self.place)], check=True, stdout=self.said)
        return outcome

    def drained(self, store: tenure.Store) -> bool:
        until = time.monotonic() + PATIENCE
        while not store.wait_empty("work", timeout=1):
            self.look()
            if time.monotonic() > until:
                return False
        return True

    def judge(self, store: tenure.Store) -> str:
        counts: dict[str, str] = {}
        after: str | None = None
        while page := store.scan("done", limit=1000, after=after):
            counts.update((record.key, record.text()) for record in page)
            after = page[-1].key
        wrong = {data: count for data, count in counts.items() if count != "1"}
        if wrong:
            raise Failure(f"done more than once: {dict(list(wrong.items())[:10])}")
        told: Counter[str] = Counter()
        done: Counter[str] = Counter()
        for ledger in sorted(self.control.glob("*.ledger")):
            for line in ledger.read_text().splitlines():
                what, data = line.split(" ", 1)
                told[what] += 1
                if what in ("added", "done") and data not in counts:
                    raise Failure(f"{ledger.name} was told that {data} was {what}, and it was never done")
                if what == "done":
                    done[data] += 1
        twice = [data for data, times in done.items() if times > 1]
        if twice:
            raise Failure(f"acknowledged as done more than once: {twice[:10]}")
        by = Counter(data.split("-")[0] for data in counts)
        if min(self.kills["server"], *(by[worker.name] for worker in self.workers)) == 0:
            raise Failure(f"it proves nothing: tasks added {dict(by)}, kills {dict(self.kills)}")
        return f"{len(counts)} tasks done once each, added by {dict(by)}; told {dict(told)}; killed {dict(self.kills)}"

    def end(self) -> None:
        for program in [self.server, *self.workers]:
            if program.process.poll() is None:
                program.process.kill()
                program.process.wait()
        self.said.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--program", required=True, help="the tenure program")
    parser.add_argument("--rust", required=True, help="the worker in Rust")
    parser.add_argument("--node", default="node")
    parser.add_argument("--dir", type=Path, default=None, help="the disk that it runs on")
    asked = parser.parse_args()
    if asked.seed is None:
        asked.seed = random.SystemRandom().randrange(1 << 32)
    print(f"soak: {asked.seconds:.0f} s, --seed {asked.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=asked.dir))
    soak = Soak(asked, folder)
    try:
        print(f"soak: {soak.run()}")
    except (Failure, subprocess.SubprocessError) as failure:
        soak.end()
        last = "".join((folder / "said").read_text().splitlines(keepends=True)[-20:])
        print(f"soak: {failure}\n{last}soak: what is left lies in {folder}", file=sys.stderr)
        return 1
    finally:
        soak.end()
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
