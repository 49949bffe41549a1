"""A fleet of processes hashes real files and is killed at random; afterwards every hash is there once, and right.

    python examples/python/hashes.py [FOLDER] [--workers 4] [--kills 12] [--url http://localhost:8048]

Each file is a task. A worker claims one, hashes the file, and commits the hash, the end of the task and the count in
one transaction. It may be killed at any point of that: either all three are there, or the task is still to be done.
The store lies in a folder of its own, or is one that is served and was empty.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import random
import sys
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import tenure

LEASE = 2.0


def opened(place: str) -> tenure.Store:
    """The store in a folder, or at a URL."""
    return tenure.connect(place) if "://" in place else tenure.open(place)


def work(place: str) -> None:
    """Hashes files until none are left to be claimed; a task whose worker was killed comes back when its lease ends."""
    with opened(place) as store:
        for held in store.claims("files", lease=LEASE, idle=2 * LEASE):
            with held:
                path = held.text()
                digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
                with store.transaction() as tx:
                    tx.finish(held)
                    tx.put("hashes", path, digest, expect=0)  # refused, had another committed it before
                    tx.increment("counts", "hashed")


def begin(place: str) -> BaseProcess:
    # A new interpreter for each: a forked one would have to open its own handle anyway.
    process = multiprocessing.get_context("spawn").Process(target=work, args=(place,))
    process.start()
    return process


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--most", type=int, default=3000, help="at most that many files")
    parser.add_argument("--url", help="a store that is served")
    arguments = parser.parse_args()

    skipped = {".git", ".tools", "target", "node_modules"}
    files = []
    for folder, below, names in os.walk(arguments.folder):
        below[:] = sorted(set(below) - skipped)
        files += [str(Path(folder, name)) for name in sorted(names)]
    files = [path for path in files if Path(path).is_file()][: arguments.most]

    with tempfile.TemporaryDirectory() as own, opened(place := arguments.url or own) as store:
        store.add_many("files", files)
        began = time.monotonic()
        fleet = [begin(place) for _ in range(arguments.workers)]
        killed = 0
        while not store.wait_empty("files", timeout=random.uniform(0.01, 0.15)):
            if killed < arguments.kills:
                victim = random.randrange(len(fleet))
                fleet[victim].kill()
                fleet[victim].join()
                fleet[victim] = begin(place)
                killed += 1
        took = time.monotonic() - began
        for process in fleet:
            process.kill()
            process.join()

        hashed: dict[str, str] = {}
        page = store.scan("hashes")
        while page:
            hashed |= {record.key: record.text() for record in page}
            page = store.scan("hashes", after=page[-1].key)
        count = store.get("counts", "hashed")
        right = {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in files}
        if hashed != right or count is None or int(count.value) != len(files):
            print(f"{len(files)} files, but {len(hashed)} hashes, counted {count}", file=sys.stderr)
            return 1
        print(f"{len(files)} files hashed once each, {killed} workers killed, in {took:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
