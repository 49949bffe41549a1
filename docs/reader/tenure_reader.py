"""Dumps a store's folder as docs/FORMAT.md says, with Python 3.9 or later alone: python3 tenure_reader.py STORE"""

from __future__ import annotations

import base64
import json
import re
import sys
import zlib
from pathlib import Path
from struct import Struct
from typing import Any

Fields = dict[str, Any]
SEGMENT = Struct("<4sB3x16sQQQQQI24xI")
SEGMENT_FIELDS = ["magic", "format", "store", "sequence", "base", "revision", "next_id", "author", "link", "checksum"]
FRAME = Struct("<4sBBBxIIQQQQII")
FRAME_FIELDS = ["kind", "part", "length", "previous", "revision", "next_id", "author", "durable", "payload", "link"]
PARTS = ["whole", "first", "middle", "last"]
KINDS = {1: "transaction", 2: "hand_off", 3: "release", 4: "snapshot_begun", 5: "upgrade", 6: "noop", 255: "seal"}
REASONS = ["deleted", "finished", "failed", "cancelled", "moved", "replaced"]
HEX = {"link": 8, "previous": 8, "payload": 8, "author": 16, "exclusive": 16, "digest": 16, "fingerprint": 16}
K0, K1, K2, K3 = 0xA0761D6478BD642F, 0xE7037ED1A0B428DB, 0x8EBC6AF09C88C6E3, 0x589965CC75374CC3
SCHEMAS = {  # 8, 9, 13: each field and its type, see Payload.read
    "head": "now:n owner:n actor:t request:?mark",
    "mark": "id:t fingerprint:n ids:*p counts:*i",
    "task": "id:n origin:n group:t key:?t available_at:n added_at:n owner:n attempt:m failures:m error:?t data:b",
    "save": "replaces:n task:task",
    "retitle": "old:n id:n available_at:n owner:n attempt:m failures:m group:?t error:?t",
    "remove": "id:n reason:e",
    "put": "table:t key:t expires_at:n value:b",
    "remove_record": "table:t key:t",
    "level": "level:m",
    "record": "table:t key:t revision:n expires_at:n value:b",
    "request": "owner:n id:t revision:n fingerprint:n ids:*p counts:*i",
    "head of walk": "format:m store:s begin:n position:n link:m next_id:n level:m exclusive:n tasks:n",
    "end of walk": "end:n position:n link:m next_id:n digest:n pieces:n",
}
OPS = ["save", "retitle", "remove", "put", "remove_record", "level"]
PIECES = {"task": ["id"], "record": ["table", "key"], "request": ["owner", "id"]}  # and what names one of them


def need(true: Any, what: str) -> None:
    if not true:
        raise ValueError(what)


class Payload:  # 8: values, read from the front
    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, count: int) -> bytes:
        self.at += count
        need(self.at <= len(self.raw), "a value reaches beyond its end")
        return self.raw[self.at - count : self.at]

    def number(self, bits: int = 64) -> int:
        value = 0
        for shift in range(0, bits, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80 and value < 1 << bits:
                return value
        raise ValueError("a number does not fit its type")

    def read(self, kind: str) -> Any:
        if kind[0] == "?":
            return self.read(kind[1:]) if self.number(1) else None
        if kind[0] == "*":
            return [self.read(kind[1:]) for _ in range(self.number())]
        if kind in SCHEMAS:
            return {name: self.read(kind) for name, kind in (field.split(":") for field in SCHEMAS[kind].split())}
        if kind == "s":
            return self.take(16).hex()
        number = self.number(32 if kind in "me" else 64)
        if kind in "tb":
            return self.take(number).decode() if kind == "t" else self.take(number)
        if kind == "p":
            return [number, self.number(32)]
        if kind == "e":
            return REASONS[number]
        return (number >> 1) ^ -(number & 1) if kind == "i" else number

    def one_of(self, variants: list[str]) -> tuple[str, Fields]:
        number = self.number(32)
        need(number < len(variants), f"number {number} is of a newer version")
        return variants[number], self.read(variants[number])


def shown(fields: Fields) -> Fields:  # 20: absent options are left out, bytes are text or base64
    out: Fields = {}
    for name, value in fields.items():
        if name in HEX:
            out[name] = f"{value:0{HEX[name]}x}"
        elif isinstance(value, bytes):
            try:
                out[name] = value.decode()
            except UnicodeDecodeError:
                out[name + "_base64"] = base64.b64encode(value).decode()
        elif value is not None and not (value == 0 and name in ("origin", "replaces", "expires_at")):
            out[name] = shown(value) if isinstance(value, dict) else value
    return out


def put(name: str, fields: Fields) -> None:
    print(json.dumps({name: shown(fields)}, ensure_ascii=False, separators=(",", ":")))


def fold(a: int, b: int) -> int:  # 11: the digest
    return ((a * b) & ((1 << 64) - 1)) ^ (a * b >> 64)


def hash_item(*numbers: int) -> int:
    h = K3 ^ len(numbers)
    for a, b in zip(numbers[::2], numbers[1::2]):
        h = fold(h ^ a ^ K0, b ^ K1)
    if len(numbers) % 2:
        h = fold(h ^ numbers[-1] ^ K0, K2)
    return fold(h ^ K2, K1)


def hash_text(text: str | None) -> int:
    h, raw = K2, (text or "").encode()
    for at in range(0, len(raw), 8):
        h = fold(h ^ int.from_bytes(raw[at : at + 8], "little") ^ K0, K1)
    return 0 if text is None else fold(h ^ len(raw), K3)


class State:  # 10: what is true after an entry
    def __init__(self, revision: int = 0, next_id: int = 1, level: int = 1, exclusive: int = 0) -> None:
        self.facts = {"revision": revision, "next_id": next_id, "level": level, "exclusive": exclusive}
        self.items: dict[str, dict[Any, Fields]] = {kind: {} for kind in PIECES}

    def load(self, kind: str, item: Fields) -> None:
        name = tuple(item[k] for k in PIECES[kind])
        self.items[kind].pop(name, None)
        self.items[kind][name] = {**item, "origin": item["origin"] or item["id"]} if kind == "task" else item

    def apply(self, frame: Fields, head: Fields, ops: list[tuple[str, Fields]], tolerant: bool) -> None:
        revision = frame["revision"]
        need(revision == self.facts["revision"] + 1, "a revision is missing")
        self.facts.update({"revision": revision, "next_id": max(self.facts["next_id"], frame["next_id"])})
        old = 0 if tolerant else revision - 65_536
        self.items["request"] = {k: v for k, v in self.items["request"].items() if v["revision"] > old}
        if self.facts["exclusive"] not in (0, frame["author"]) and frame["kind"] != 2:
            return
        self.facts["exclusive"] = {2: frame["author"], 3: 0}.get(frame["kind"], self.facts["exclusive"])
        if head["request"] and not tolerant:
            self.load("request", {"owner": head["owner"], "revision": revision, **head["request"]})
        for op, fields in ops:
            need(self.apply_op(op, fields, tolerant) or tolerant, f"revision {revision} does not fit the state")

    def apply_op(self, op: str, fields: Fields, tolerant: bool) -> bool:
        tasks, records = self.items["task"], self.items["record"]
        if op == "save":
            fits = tasks.pop((fields["replaces"],), None) is not None or fields["replaces"] == 0
            fits = tasks.pop((fields["task"]["id"],), None) is None and fits
            self.load("task", fields["task"])
            return fits
        if op == "retitle":
            old, new = (fields["old"],), (fields["id"],)
            fits = old in tasks and new not in tasks
            task = tasks.pop(old, None) or tasks.get(new)
            if task is not None:
                task = {**task, **{k: v for k, v in fields.items() if v is not None and k != "old"}}
                tasks[new] = {**task, "error": task["error"] or None}
            return fits
        if op == "remove":
            return tasks.pop((fields["id"],), None) is not None
        if op == "remove_record":
            return records.pop((fields["table"], fields["key"]), None) is not None
        if op == "put":
            self.load("record", {**fields, "revision": self.facts["revision"]})
        else:
            self.facts["level"] = fields["level"]
        return True

    def digest(self) -> int:
        total = 0
        for t in self.items["task"].values():
            numbers = [t[k] for k in ("id", "origin", "available_at", "added_at", "owner")]
            numbers += [t["attempt"] << 32 | t["failures"], *(hash_text(t[k]) for k in ("group", "key", "error"))]
            total += hash_item(*numbers, zlib.crc32(t["data"]) << 32 | len(t["data"]))
        for r in self.items["record"].values():
            numbers = [hash_text(r["table"]), hash_text(r["key"]), r["revision"], r["expires_at"]]
            total += hash_item(*numbers, zlib.crc32(r["value"]) << 32 | len(r["value"]))
        return total & ((1 << 64) - 1)


def segment(name: str, raw: memoryview, limit: int | None, entries: list[Any]) -> None:
    """3 to 7: prints a segment up to where the next one begins, and collects its entries."""
    head = dict(zip(SEGMENT_FIELDS, SEGMENT.unpack_from(raw)))
    put("segment", {"name": name, **{k: head[k] for k in SEGMENT_FIELDS[3:9]}, "bytes": len(raw)})
    last = {**head, "revision": head["revision"] - 1}  # the last whole entry
    begun: Fields = {}  # the first part of an unfinished one
    at, tail, link, payload, ending = head["base"], head["base"], head["link"], b"", ""
    while not ending:
        rest = raw[SEGMENT.size + at - head["base"] :]
        if at == limit or len(rest) < FRAME.size:
            ending = ("superseded" if at == limit else "short") if rest else "unfinished" if begun else "whole"
            break
        f = dict(zip(["magic", "format", *FRAME_FIELDS], FRAME.unpack_from(rest)))
        part = bytes(rest[FRAME.size : FRAME.size + f["length"]])
        covered = head["store"] + at.to_bytes(8, "little") + bytes(rest[:52]) + bytes(4)
        follows = f["part"] < 4 and all(begun.get(k) == f[k] for k in ("kind", "revision", "next_id", "author"))
        if f["kind"] == 255:
            follows = (f["part"], f["length"], f["revision"], f["next_id"]) == (0, 0, last["revision"], last["next_id"])
        elif f["part"] < 2:
            follows = f["revision"] == last["revision"] + 1 and f["next_id"] >= last["next_id"]
        faults = [("bad", f["magic"] != b"TNUR" or zlib.crc32(covered) != f["link"]), ("newer", f["format"] != 1)]
        faults += [("broken", f["previous"] != link), ("newer", f["kind"] not in KINDS)]
        faults += [("broken", f["durable"] > at or not follows), ("short", len(part) < f["length"])]
        ending = next((what for what, true in [*faults, ("bad", zlib.crc32(part) != f["payload"])] if true), "")
        if ending:
            break
        put(
            "frame",
            {"position": at, **{k: f[k] for k in FRAME_FIELDS}, "kind": KINDS[f["kind"]], "part": PARTS[f["part"]]},
        )
        if f["part"] < 2:
            begun, payload = {**f, "position": at}, b""
        payload, link, at = payload + part, f["link"], at + FRAME.size + f["length"]
        if f["kind"] == 255:
            tail, begun, ending = at, {}, "superseded" if len(rest) > FRAME.size else "whole"
        elif f["part"] in (0, 3):
            values = Payload(payload)
            entry = values.read("head")
            ops = [values.one_of(OPS) for _ in range(values.number(32))]
            need(values.at == len(payload), "an entry has bytes behind its last op")
            lines = [{op: fields["level"] if op == "level" else shown(fields)} for op, fields in ops]
            place = {k: begun[k] for k in ("revision", "position", "author")}
            put("entry", {**place, "kind": KINDS[f["kind"]], **entry, "ops": lines})
            entries.append((f, entry, ops))
            last, tail, begun = f, at, {}
    put("end", {"position": tail, "ending": ending, "left": len(raw) - SEGMENT.size - (tail - head["base"])})


def snapshot(raw: bytes) -> dict[int, Any]:
    """13: prints what a snapshot holds, and gives its head (1), its items (2) and its end (3)."""
    need(raw[:8] == b"TNSP\1\0\0\0" and zlib.crc32(raw[:40]) == int.from_bytes(raw[40:44], "little"), "no snapshot")
    at, content, sums = 44, b"", raw[40:44]
    while raw[at : at + 8] != b"\0\0\0\0TNSE":
        length, check = Struct("<II").unpack_from(raw, at)
        need(zlib.crc32(raw[at + 8 : at + 8 + length]) == check, "a piece is damaged")
        content, sums, at = content + raw[at + 8 : at + 8 + length], sums + raw[at + 4 : at + 8], at + 8 + length
    need(Struct("<QI").unpack(raw[at + 8 :]) == (len(content), zlib.crc32(sums + raw[at : at + 16])), "it was cut")
    found: dict[int, Any] = {2: []}
    at = 0
    while at < len(content):
        kind, packed, size, stored, check = Struct("<BBxxIII").unpack_from(content, at)
        body = content[at + 16 : at + 16 + stored]
        need(max(size, stored) <= 80 << 20 and zlib.crc32(content[at : at + 12] + body) == check, "a damaged chunk")
        chunk = Payload(zlib.decompressobj(-15).decompress(body, size) if packed else body)
        need(len(chunk.raw) == size, "a chunk has another length than it says")
        at += 16 + stored
        while kind == 2 and chunk.at < size:
            found[2].append(chunk.one_of(list(PIECES)))
            put("piece", dict([found[2][-1]]))
        if kind != 2:
            found[kind] = chunk.read({1: "head of walk", 3: "end of walk"}[kind])
            put({1: "head", 3: "tail"}[kind], found[kind])
    need(found[3]["pieces"] == len(found[2]), "a snapshot has another number of items than it says")
    return found


def main(folder: Path) -> None:
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    names = sorted((name for name in files if re.fullmatch(r"\d{10,}\.seg", name)), key=lambda name: int(name[:-4]))
    heads = [dict(zip(SEGMENT_FIELDS, SEGMENT.unpack_from(files[name]))) for name in names]
    need(heads and all(zlib.crc32(files[n][:92]) == h["checksum"] for n, h in zip(names, heads)), "no whole store")
    mark = files.get("lock", b"")[64:128]  # 14
    told = mark[:24] == b"TNWM\1\0\0\0" + heads[0]["store"]
    told = told and zlib.crc32(mark[:60]) == int.from_bytes(mark[60:], "little")
    put("store", {"id": heads[0]["store"].hex(), "watermark": int.from_bytes(mark[24:32], "little") if told else None})
    entries: list[tuple[Fields, Fields, list[tuple[str, Fields]]]] = []
    for name, after in zip(names, [*heads[1:], None]):
        segment(name, memoryview(files[name]), after["base"] if after else None, entries)
    state, end_of_walk = State(), {"end": 0}
    for name in (name for name in files if re.fullmatch(r"\d{20}-[0-9a-f]{16}\.snap", name)):
        put(
            "snapshot", {"name": name, "end": int(name[:20]), "author": int(name[21:37], 16), "bytes": len(files[name])}
        )
        found = snapshot(files[name])
        if found[1]["position"] >= heads[0]["base"]:  # the newest that the journal reaches back to
            state, end_of_walk = State(*(found[1][k] for k in ("begin", "next_id", "level", "exclusive"))), found[3]
            for kind, item in found[2]:
                state.load(kind, item)
    for frame, entry, ops in [entry for entry in entries if entry[0]["revision"] > state.facts["revision"]]:
        state.apply(frame, entry, ops, frame["revision"] <= end_of_walk["end"])
        if frame["revision"] == end_of_walk["end"]:
            need(state.digest() == end_of_walk["digest"], "the snapshot and the journal do not make one state")
    put("state", {**state.facts, **{k + "s": len(v) for k, v in state.items.items()}, "digest": state.digest()})
    for kind, found in state.items.items():
        for key in found if kind == "request" else sorted(found):
            put(kind, found[key])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
