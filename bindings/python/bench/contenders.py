"""The queues that are measured: how each is filled, and how one task is claimed and finished."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Step = Callable[[], bool]
DATA = "x" * 32


class Tenure:
    """This package."""

    def __init__(self, folder: Path, strict: bool) -> None:
        import tenure

        self.store = tenure.open(folder / "store", durability="strict" if strict else "opportunistic")

    def fill(self, tasks: int) -> None:
        for begin in range(0, tasks, 10_000):
            self.store.add_many("g", [DATA] * min(10_000, tasks - begin))

    def session(self) -> Step:
        claim, finish = self.store.claim, self.store.finish

        def step() -> bool:
            task = claim("g")
            if task is None:
                return False
            finish(task)
            return True

        return step


class Honker:
    """honker: claims and acknowledges. Nothing sets its writing connection to sync each commit."""

    def __init__(self, folder: Path, strict: bool) -> None:
        import honker

        if strict:
            raise RuntimeError("it has no setting that syncs each commit")
        self.database = honker.open(str(folder / "honker.db"))
        self.queue = self.database.queue("g")

    def fill(self, tasks: int) -> None:
        with self.database.transaction() as tx:
            for _ in range(tasks):
                self.queue.enqueue(DATA, tx=tx)

    def session(self) -> Step:
        def step() -> bool:
            job = self.queue.claim_one("w")
            return job is not None and bool(job.ack())

        return step


class LiteQueue:
    """litequeue: pop and done; a connection for each thread."""

    def __init__(self, folder: Path, strict: bool) -> None:
        self.path, self.strict = folder / "lite.db", strict
        self.queue = self.open()

    def open(self) -> Any:
        from litequeue import LiteQueue

        queue = LiteQueue(self.path, timeout=60)
        queue.conn.execute(f"pragma synchronous={'full' if self.strict else 'normal'}")
        return queue

    def fill(self, tasks: int) -> None:
        with self.queue.transaction():
            for _ in range(tasks):
                self.queue.put(DATA)

    def session(self) -> Step:
        queue = self.open()

        def step() -> bool:
            message = queue.pop()
            if message is None:
                return False
            queue.done(message.message_id)
            return True

        return step


class PersistQueue:
    """persist-queue: its queue with acknowledgements."""

    synchronous = "full"

    def __init__(self, folder: Path, strict: bool) -> None:
        from persistqueue import SQLiteAckQueue

        self.folder = folder
        self.queue = SQLiteAckQueue(str(folder), multithreading=True, timeout=60)
        for connection in (self.queue._conn, self.queue._putter):
            # Full is what SQLite has by default.
            connection.execute(f"pragma synchronous={'full' if strict else self.synchronous}")

    def fill(self, tasks: int) -> None:
        # It commits each put; one of its own shows how a row looks, and SQL copies it.
        self.queue.put(DATA)
        putter = self.queue._putter
        (table,) = putter.execute("select name from sqlite_master where name like 'ack_queue%' limit 1").fetchone()
        copy = (
            f"with recursive n(i) as (select 2 union all select i + 1 from n where i < {tasks}) "
            f"insert into {table} (data, timestamp, status) select data, timestamp, status from {table}, n"
        )
        putter.execute(copy)
        putter.commit()
        self.queue.total = tasks

    def session(self) -> Step:
        from persistqueue.exceptions import Empty

        queue = self.queue

        def step() -> bool:
            try:
                item = queue.get(block=False, raw=True)
            except Empty:
                return False
            queue.ack(id=item["pqid"])
            return True

        return step


class LoosePersistQueue(PersistQueue):
    """persist-queue, set by hand to sync at checkpoints only."""

    synchronous = "normal"


class Huey:
    """huey's SQLite storage: dequeue alone, which forgets the task as it gives it."""

    def __init__(self, folder: Path, strict: bool) -> None:
        from huey.storage import SqliteStorage

        self.storage = SqliteStorage("g", filename=str(folder / "huey.db"), fsync=strict, timeout=60)

    def fill(self, tasks: int) -> None:
        with self.storage.db(commit=True) as cursor:
            row = ("g", DATA.encode(), 0)
            cursor.executemany("insert into task (queue, data, priority) values (?, ?, ?)", [row] * tasks)

    def session(self) -> Step:
        return lambda: self.storage.dequeue() is not None


CONTENDERS: dict[str, Callable[[Path, bool], Any]] = {
    "tenure": Tenure,
    "honker": Honker,
    "persist-queue": PersistQueue,
    "persist-queue (synchronous=NORMAL)": LoosePersistQueue,
    "litequeue": LiteQueue,
    "huey": Huey,
}
