"""A worker of the soak: README.md beside it says what it does. `worker.js` and `worker.rs` do the same."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import tenure


def main(place: str, name: str, seed: str, control: Path) -> None:
    draw = random.Random(seed)
    served = place.startswith("http")
    store = tenure.connect(place, retry_for=120) if served else tenure.open(place, lock_wait=60)
    added = 0
    # Unbuffered: what is written down outlives this process.
    with store, (control / f"{name}.ledger").open("ab", buffering=0) as ledger:

        def note(what: str, data: str) -> None:
            ledger.write(f"{what} {data}\n".encode())

        while not (control / "stop").exists():
            if draw.random() < 0.47 and not (control / "drain").exists():
                data = f"{name}-{added}"
                added += 1
                try:
                    store.add("work", data, request_id=data)
                except (tenure.Unavailable, tenure.Unknown, tenure.Timeout) as error:
                    note("unknown", error.code)
                    continue
                note("added", data)
                continue
            try:
                task = store.claim("work", lease=3, wait=0.3)
                if task is None:
                    continue
                fate = draw.random()
                if fate < 0.08:
                    store.fail(task, "on purpose")
                elif fate < 0.12:
                    store.release(task)
                elif fate < 0.14:
                    continue  # its lease runs out
                else:
                    with store.transaction() as tx:
                        tx.finish(task)
                        tx.increment("done", task.text())
                    note("done", task.text())
            except tenure.Rejected as error:
                note("refused", error.code)
            except (tenure.Unavailable, tenure.Unknown, tenure.Timeout) as error:
                note("unknown", error.code)


main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
