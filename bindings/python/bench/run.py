"""The benchmark of the Python package: README.md beside it says what is measured, and how."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- speed of Python: begin -->", "<!-- speed of Python: end -->"
ACKNOWLEDGING = ["honker", "persist-queue", "litequeue"]
LOOSE = "persist-queue"
ROWS = {
    "one": ("opportunistic, shared, one thread: claim and finish one by one", False, 1),
    "eight": ("strict, eight threads: claim and finish one by one", True, 8),
}


def measure(name: str, strict: bool, threads: int, tasks: int, seconds: float, folder: Path) -> dict[str, float]:
    """In a process of its own: fills a queue, then works it off."""
    from contenders import CONTENDERS

    queue = CONTENDERS[name](folder, strict)
    queue.fill(tasks)
    done = [0] * threads
    start = threading.Barrier(threads + 1)

    def work(mine: int) -> None:
        step = queue.session()
        start.wait()
        until = time.monotonic() + seconds
        while time.monotonic() < until and step():
            done[mine] += 1

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    start.wait()
    began, cpu = time.monotonic(), time.process_time()
    for worker in workers:
        worker.join()
    took, used = time.monotonic() - began, time.process_time() - cpu
    return {"rate": sum(done) / took, "cpu_us": used / max(sum(done), 1) * 1e6, "done": sum(done)}


def claims(place: str) -> float:
    """In a process of its own: the least CPU time of a claim, in microseconds; as claims.rs does it."""
    import tenure

    store = tenure.memory() if place == "memory" else tenure.open(place, durability="opportunistic")
    batches, batch = 20, 5_000
    for _ in range(batches * batch // 10_000):
        store.add_many("g", ["x" * 32] * 10_000)
    least = float("inf")
    claim = store.claim
    for _ in range(batches):
        began = time.thread_time()
        for _ in range(batch):
            claim("g")
        least = min(least, (time.thread_time() - began) / batch)
    store.close()
    return least * 1e6


def child(*arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, __file__, "--child", *arguments], capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode != 0:
        last = (done.stderr.strip() or "it died").splitlines()[-1]
        raise RuntimeError(last.removeprefix("RuntimeError: "))
    return json.loads(done.stdout)


def serve(arguments: list[str]) -> None:
    kind, *rest = arguments
    if kind == "claims":
        print(json.dumps(claims(rest[0])))
    else:
        name, row, tasks, seconds, folder = rest
        _, strict, threads = ROWS[row]
        print(json.dumps(measure(name, strict, threads, int(tasks), float(seconds), Path(folder))))


def flows(asked: argparse.Namespace, row: str, left_out: dict[str, str]) -> dict[str, Any]:
    """One row: contenders in turns."""
    rounds: dict[str, list[dict[str, float]]] = {}
    failed = dict(left_out)
    names = ["tenure", *ACKNOWLEDGING, "huey"]
    if row == "one":
        names.insert(3, f"{LOOSE} (synchronous=NORMAL)")
    names = [name for name in names if name.split()[0] not in left_out]
    for _ in range(asked.rounds):
        for name in names:
            if name in failed:
                continue
            with tempfile.TemporaryDirectory(dir=asked.dir) as folder:
                try:
                    one = child("flow", name, row, str(asked.tasks), str(asked.seconds), folder)
                    rounds.setdefault(name, []).append(one)
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    failed[name] = f"not measured: {error}"
                    print(f"!!! {name}, {row}: {failed[name]}", file=sys.stderr)
    figures = {
        name: {key: statistics.median(one[key] for one in found) for key in ("rate", "cpu_us", "done")}
        for name, found in rounds.items()
    }
    return {"work": ROWS[row][0], "figures": figures, "failed": failed, "checks": checks(row, figures)}


def checks(row: str, figures: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    def against(what: str, names: list[str], must: float) -> dict[str, Any]:
        rates = [figures[name]["rate"] for name in names if name in figures]
        ratio = figures["tenure"]["rate"] / max(rates) if rates and "tenure" in figures else None
        return {"what": what, "must": must, "is": ratio}

    best = f"times the best of {', '.join(ACKNOWLEDGING)}"
    if row == "one":
        return [against(best, ACKNOWLEDGING, 20), against("times huey, which acknowledges nothing", ["huey"], 2)]
    return [against(best, ACKNOWLEDGING, 8)]


def overhead(asked: argparse.Namespace) -> dict[str, Any]:
    """CPU time of a claim, from Python and from Rust, in turns."""
    if asked.rust is None:
        print("!!! call overhead: not measured without --rust, the claims program", file=sys.stderr)
        return {"work": "claim from Python, less claim from Rust", "figures": {}, "checks": []}
    figures: dict[str, dict[str, float]] = {}
    for place in ("memory", "disk"):
        python: list[float] = []
        rust: list[float] = []
        for _ in range(asked.rounds):
            for mine, run in ((python, "python"), (rust, "rust")):
                with tempfile.TemporaryDirectory(dir=asked.dir) as folder:
                    where = "memory" if place == "memory" else f"{folder}/store"
                    if run == "python":
                        mine.append(child("claims", where))
                    else:
                        mine.append(float(subprocess.check_output([asked.rust, where], text=True)))
        figures[place] = {"python_us": min(python), "rust_us": min(rust), "more_us": min(python) - min(rust)}
    more, disk = figures["memory"]["more_us"], figures["disk"]
    check = {"what": "µs more in memory", "must": -1.5, "is": more}
    share = {"what": "times the Rust call on disk", "must": -0.5, "is": disk["more_us"] / disk["rust_us"]}
    return {"work": "claim from Python, less claim from Rust", "figures": figures, "checks": [check, share]}


def number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def verdict(check: dict[str, Any]) -> str:
    must, is_ = check["must"], check["is"]
    sign = "≥" if must > 0 else "≤"
    if is_ is None:
        return f"{check['what']} {sign} {abs(must):g}: not measured"
    good = is_ >= must if must > 0 else is_ <= -must
    return f"{check['what']} {sign} {abs(must):g}: " + (number(is_) if good else f"**{number(is_)}, missed**")


def table(results: dict[str, Any]) -> str:
    lines = [results["machine"] + (", small sizes: the figures mean nothing" if results["quick"] else ""), ""]
    lines += ["| work | measured | must be: is |", "|---|---|---|"]
    for row in results["rows"]:
        cells = []
        for name, figure in row["figures"].items():
            if "rate" in figure:
                cells.append(f"{name}: {number(figure['rate'])} tasks/s, {number(figure['cpu_us'])} µs CPU each")
            else:
                python, rust = number(figure["python_us"]), number(figure["rust_us"])
                cells.append(f"{name}: {python} µs in Python, {rust} µs in Rust")
        cells += [f"{name}: {why}" for name, why in row.get("failed", {}).items()]
        lines.append(f"| {row['work']} | {'<br>'.join(cells)} | {'<br>'.join(map(verdict, row['checks']))} |")
    return "\n".join(lines) + "\n"


def place(text: str, into: Path) -> None:
    before, rest = into.read_text().split(BEGIN)
    into.write_text(f"{before}{BEGIN}\n{text}{END}{rest.split(END)[1]}")


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        serve(sys.argv[2:])
        return 0
    parser = argparse.ArgumentParser(description="Tenure for Python beside its rivals; README.md says how.")
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--dir", type=Path, default=None, help="the disk that is measured")
    parser.add_argument("--rust", help="the program of claims.rs")
    parser.add_argument("--without", default="", help="rivals that are left out, by commas: they did not install")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--into", type=Path, default=None, help="a README with a place for the table")
    asked = parser.parse_args()
    if asked.quick:
        asked.tasks, asked.seconds, asked.rounds = 2_000, 1.0, 1
    asked.dir = Path(tempfile.mkdtemp(prefix="bench-", dir=asked.dir))
    try:
        left_out = {name: "not measured: it does not install here" for name in asked.without.split(",") if name}
        load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
        machine = f"{os.cpu_count()} cores, CPython {sys.version.split()[0]}, load at the start {load}"
        results: dict[str, Any] = {"machine": machine, "quick": asked.quick, "tasks": asked.tasks, "rows": []}
        results["rows"] = [flows(asked, row, left_out) for row in ROWS] + [overhead(asked)]
    finally:
        shutil.rmtree(asked.dir, ignore_errors=True)
    text = table(results)
    print(text)
    if asked.out is not None:
        asked.out.write_text(json.dumps(results, indent=1) + "\n")
    if asked.into is not None:
        place(text, asked.into)
    missed = [check for row in results["rows"] for check in row["checks"] if "missed" in verdict(check)]
    return 0 if asked.quick or not missed else 1


if __name__ == "__main__":
    sys.exit(main())
