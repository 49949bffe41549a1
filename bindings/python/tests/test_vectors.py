"""The shared vectors: what every language answers alike. See core/tests/vectors/README.md."""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from served import StandingClock, standing

import tenure

VECTORS = Path(__file__).parents[3] / "core" / "tests" / "vectors"
SCRIPTS = ["requests", "results", "errors", "verbs"]
# A wrong type can't be written down here: Python refuses it with a TypeError, see test_arguments.py.
LEFT_OUT = "what can't be read is refused with its place"
# A client gives every request an id, so that it can be repeated: one that changes nothing is an entry all the same, and
# under narrow limits the id is too long.
NOT_SERVED = ["a record is put, expected, removed", "limits are named with the value that broke them"]
TIMES = {"available_at", "added_at", "expires_at", "oldest", "until", "lease_end", "at"}
SPANS = {"delay", "lease", "available_at", "expires_at"}


def read(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


Made = tuple[tenure.Store, "tenure.FakeClock | StandingClock"]


def embedded(limits: dict[str, Any]) -> dict[str, Any]:
    limits = dict(limits)
    if "lease_min" in limits:
        limits["lease_min"] /= 1000
    return {"clock": tenure.FakeClock(1000), "owner": 7, "actor": "vectors", "seed": 1, "limits": limits}


@contextlib.contextmanager
def in_memory(path: Path, limits: dict[str, Any]) -> Iterator[Made]:
    options = embedded(limits)
    with tenure.memory(**options) as store:
        yield store, options["clock"]


@contextlib.contextmanager
def in_a_folder(path: Path, limits: dict[str, Any]) -> Iterator[Made]:
    options = embedded(limits)
    with tenure.open(path / "store", durability="opportunistic", **options) as store:
        yield store, options["clock"]


@contextlib.contextmanager
def on_a_journal(path: Path, limits: dict[str, Any]) -> Iterator[Made]:
    options = embedded(limits)
    with tenure.open(tenure.journal.MemoryJournal(), **options) as store:
        yield store, options["clock"]


@contextlib.contextmanager
def at_a_service(path: Path, limits: dict[str, Any]) -> Iterator[Made]:
    with standing({"limits": limits}) as clock, tenure.connect(clock.url, owner=7, actor="vectors") as store:
        yield store, clock


def said(fields: Any) -> Any:
    """A request's or a claim's JSON spelling as Python has it: bytes, and seconds."""
    if isinstance(fields, list):
        return [said(item) for item in fields]
    if not isinstance(fields, dict):
        return fields
    python: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None:
            continue
        if name in ("data_base64", "value_base64"):
            padded = value + "=" * (-len(value) % 4)
            python[name.removesuffix("_base64")] = base64.b64decode(padded)
        elif name in SPANS:
            python[name] = value / 1000
        else:
            python[name] = said(value)
    return python


def millis(value: Any) -> Any:
    """Times in an error's details as they are spelled elsewhere."""
    if isinstance(value, list):
        return [millis(item) for item in value]
    if isinstance(value, dict):
        return {name: round(v * 1000) if name in TIMES else millis(v) for name, v in value.items()}
    return value


def data(name: str, value: bytes) -> dict[str, str]:
    try:
        return {name: value.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(value).decode()}


def task(task: tenure.Task) -> dict[str, Any]:
    if task.origin == 0:
        return {"id": task.id}
    spelled: dict[str, Any] = {
        "id": task.id,
        "origin": task.origin,
        "group": task.group,
        "available_at": round(task.available_at * 1000),
        "added_at": round(task.added_at * 1000),
        "owner": task.owner,
        "attempt": task.attempt,
        "failures": task.failures,
    } | data("data", task.data)
    if task.key is not None:
        spelled["key"] = task.key
    if task.error is not None:
        spelled["error"] = task.error
    return spelled


def record(record: tenure.Record) -> dict[str, Any]:
    spelled = {"table": record.table, "key": record.key, "revision": record.revision} | data("value", record.value)
    if record.expires_at is not None:
        spelled["expires_at"] = round(record.expires_at * 1000)
    return spelled


def group(stats: tenure.GroupStats) -> dict[str, Any]:
    names = ["name", "tasks", "available", "delayed", "held"]
    spelled: dict[str, Any] = {name: getattr(stats, name) for name in names}
    if stats.oldest is not None:
        spelled["oldest"] = round(stats.oldest * 1000)
    if stats.paused:
        spelled["paused"] = True
    return spelled


def one(name: str, found: Any, spell: Callable[[Any], Any]) -> dict[str, Any]:
    return {} if found is None else {name: spell(found)}


def perform(store: tenure.Store, deed: str, fields: Any) -> dict[str, Any]:
    if deed == "update":
        committed = store.update(**said(fields))
        answer: dict[str, Any] = {"revision": committed.revision, "tasks": [task(t) for t in committed.tasks]}
        if committed.counts:
            answer["counts"] = committed.counts
        if committed.repeated:
            answer["repeated"] = True
        return answer
    if deed == "claim":
        named = said(fields)
        named.pop("wait", None)
        return {"tasks": [task(t) for t in store.claim_many(*named.pop("groups", []), **{"limit": 1} | named)]}
    if deed in ("task", "find"):
        return one("task", getattr(store, deed)(fields["origin" if deed == "find" else "id"]), task)
    if deed == "by_key":
        return one("task", store.by_key(fields["group"], fields["key"]), task)
    if deed == "tasks":
        return {"tasks": [task(t) for t in store.tasks(**fields)]}
    if deed == "groups":
        return {"groups": [group(stats) for stats in store.groups().values()]}
    if deed == "get":
        return one("record", store.get(fields["table"], fields["key"]), record)
    if deed == "scan":
        return {"records": [record(r) for r in store.scan(**fields)]}
    named = said(fields)
    verb: Callable[..., Any] = getattr(store, "move_to" if deed == "move" else deed)
    subject = named.pop("id")
    return one("task", verb(subject, **named), task)


def cases() -> Iterator[Any]:
    for name in SCRIPTS:
        for script in read(name)["scripts"]:
            for kind in (in_memory, in_a_folder, on_a_journal, at_a_service):
                without = NOT_SERVED if kind is at_a_service else []
                if script["name"] not in [LEFT_OUT, *without]:
                    yield pytest.param(script, kind, id=f"{name}, {kind.__name__}: {script['name']}")


@pytest.mark.parametrize(("script", "kind"), list(cases()))
def test_a_store_answers_every_script_as_it_stands_there(
    script: Any, kind: Callable[..., contextlib.AbstractContextManager[Made]], tmp_path: Path
) -> None:
    with kind(tmp_path, script.get("limits", {})) as (store, clock):
        for number, step in enumerate(script["steps"], 1):
            step = dict(step)
            expected = {name: step.pop(name) for name in ("answer", "error") if name in step}
            if "at" in step:
                clock.set(step.pop("at") / 1000)
            ((deed, fields),) = step.items()
            try:
                found = {"answer": perform(store, deed, fields)}
            except tenure.TenureError as error:
                names = ["kind", "code", "message", "outcome", "retry"]
                spelled = {name: getattr(error, name) for name in names}
                if error.details:
                    spelled["details"] = millis(error.details)
                found = {"error": spelled}
                assert type(error).__name__.lower() == error.kind.replace("_", "") or error.code == "lease_lost"
            if deed == "claim" and "answer" in expected:
                # `claim_many` answers with tasks alone.
                expected = {"answer": {"tasks": expected["answer"]["tasks"]}}
            assert found == expected, f"step {number}: {deed} {fields}"


@pytest.mark.parametrize("name", ["frames", "snapshots"])
def test_every_folder_is_read_as_its_lines_say(name: str, tmp_path: Path) -> None:
    for number, folder in enumerate(read(name)["folders"]):
        place = tmp_path / str(number)
        place.mkdir()
        for file, hexadecimal in folder["files"].items():
            (place / file).write_bytes(bytes.fromhex(hexadecimal))
        command = [sys.executable, "-m", "tenure", "inspect", str(place), "--all", "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert [json.loads(line) for line in done.stdout.splitlines()] == folder["lines"], folder["name"]
