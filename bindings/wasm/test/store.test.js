import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogue } from "../js/module.js";
import * as tenure from "../js/node.js";

const { FakeClock, memory, open } = tenure;

async function withClock(options) {
  const clock = new FakeClock(1_000_000);
  return [await open(memory(), { clock, ...options }), clock];
}

test("a task is added, claimed and finished once", async () => {
  const store = await open(memory());
  await store.add("map", "part-1", { key: "one" });
  const task = await store.claim("map", { lease: 5_000 });
  assert.equal(task.text(), "part-1");
  assert.deepEqual(task.data, new TextEncoder().encode("part-1"));
  await store.finish(task);
  await assert.rejects(store.finish(task), tenure.Rejected);
  assert.deepEqual(await store.groups(), []);
  await store.close();
});

test("bytes and JSON come back as they were", async () => {
  const store = await open(memory());
  const bytes = Uint8Array.from({ length: 70_000 }, (_, at) => at % 251);
  assert.deepEqual((await store.add("g", bytes)).data, bytes);
  assert.deepEqual((await store.add("g", bytes.buffer)).data, bytes);
  assert.deepEqual((await store.add("g", bytes.subarray(3, 9))).data, bytes.slice(3, 9));
  assert.deepEqual((await store.add("g", undefined, { json: { a: [1, "ü"] } })).json(), { a: [1, "ü"] });
  assert.deepEqual((await store.add("g")).data, new Uint8Array());
  await store.close();
});

test("a waiting claim gets what is added, what is released, and what becomes due", async () => {
  const [store, clock] = await withClock();
  let waiting = store.claim("g", { wait: Number.POSITIVE_INFINITY });
  await store.add("g", "added");
  let task = await waiting;
  assert.equal(task.text(), "added");
  waiting = store.claim("g", { wait: Number.POSITIVE_INFINITY });
  await store.release(task, { delay: 500 });
  await clock.advance(500);
  task = await waiting;
  assert.equal(task.attempt, 2);
  waiting = store.claim("g", { wait: 100_000 });
  await clock.advance(60_000);
  assert.equal((await waiting).attempt, 3, "a lease that ended");
  waiting = store.claim("g", { wait: 1_000 });
  await clock.advance(1_000);
  assert.equal(await waiting, null);
  await store.close();
});

test("a cancelled wait holds nothing and rejects with the signal's reason", async () => {
  const [store] = await withClock();
  const abort = new AbortController();
  const waiting = store.claim("g", { wait: Number.POSITIVE_INFINITY, signal: abort.signal });
  const adding = store.add("g", "x");
  abort.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await adding;
  await store.flush();
  assert.equal((await store.group("g")).available, 1);
  await assert.rejects(store.claim("g", { signal: AbortSignal.abort(new Error("before")) }), /before/);
  await store.close();
});

test("a held task renews itself, and its end is told once it is lost", async () => {
  const place = memory();
  const clock = new FakeClock(0);
  const store = await open(place, { clock });
  await store.add("g", "x");
  const [held] = [await first(store.claims("g", { lease: 9_000 }))];
  const claimed = held.task.id;
  await clock.advance(3_000);
  assert.notEqual(held.task.id, claimed);
  assert.equal(held.task.availableAt, 12_000);
  const other = await open(place, { clock });
  await other.cancel(held.task, { force: true });
  await clock.advance(3_000);
  assert.equal(held.lost, true);
  assert.equal(held.signal.aborted, true);
  assert.ok(held.signal.reason instanceof tenure.LeaseLost);
  await assert.rejects(held.finish(), tenure.LeaseLost);
  await store.close();
  await other.close();
});

test("run finishes a task, fails it with the exception, and leaves what was ended inside", async () => {
  const [store, clock] = await withClock();
  await store.addMany("g", ["good", "bad"]);
  for await (const held of store.claims("g", { idle: 0, order: "oldest" })) {
    if (held.text() === "good") assert.equal(await held.run(() => 7), 7);
    else
      await assert.rejects(
        held.run(() => Promise.reject(new RangeError("too far"))),
        /too far/,
      );
    if (held.text() === "bad") break;
  }
  const [task] = await store.tasks();
  assert.deepEqual([task.text(), task.failures, task.error], ["bad", 1, "RangeError: too far"]);
  const again = await first(store.claims("g"));
  await again.note("half way");
  await again.save("better");
  await again.run((held) =>
    store.transact((tx) => {
      tx.finish(held);
      tx.add("done", held.data);
    }),
  );
  assert.equal(again.ended, true);
  assert.equal((await store.claim("done")).text(), "better");
  await clock.advance(100_000);
  assert.equal(again.lost, false);
  await store.close();
});

test("a transaction runs again where what it read has changed, and not for anything else", async () => {
  const place = memory();
  const [one, other] = [await open(place), await open(place)];
  await one.put("t", "n", "1");
  let runs = 0;
  const sum = await one.transact(async (tx) => {
    runs += 1;
    const n = Number((await tx.get("t", "n")).text());
    if (runs === 1) await other.put("t", "n", "41");
    tx.put("t", "n", String(n + 1));
    assert.equal((await tx.get("t", "n")).text(), String(n + 1));
    return n + 1;
  });
  assert.deepEqual([sum, runs], [42, 2]);
  await assert.rejects(
    one.transact((tx) => tx.finish(99)),
    tenure.Rejected,
  );
  await assert.rejects(
    one.transact(() => Promise.reject(new Error("mine"))),
    /mine/,
  );
  assert.equal(await one.transact(() => 5), 5);
  assert.equal(await one.transact(async (tx) => (await tx.get("t", "n")).text()), "42");
  await one.close();
  await other.close();
});

test("a watch tells what every handle commits, from when it was made", async () => {
  const place = memory();
  const [one, other] = [await open(place), await open(place, { actor: "other" })];
  await one.add("g", "before");
  const watch = one.watch();
  await one.flush();
  await other.add("g", "x", { key: "k" });
  const { value } = await watch.next();
  assert.equal(value.actor, "other");
  assert.deepEqual([value.changes[0].kind, value.changes[0].place, value.changes[0].key], ["added", "g", "k"]);
  const next = watch.next();
  await one.close();
  await assert.rejects(next, tenure.Closed);
  await other.close();
});

test("all writes of a tick are one append", async () => {
  const place = memory();
  let appends = 0;
  const append = place.append.bind(place);
  place.append = (at, rows) => {
    appends += 1;
    return append(at, rows);
  };
  const store = await open(place);
  await Promise.all(Array.from({ length: 100 }, (_, n) => store.add("g", String(n))));
  assert.equal(appends, 1);
  await store.close();
});

test("snapshots are taken by themselves, and let go of rows", async () => {
  const place = memory();
  const store = await open(place, { snapshotEntries: 20 });
  for (let n = 0; n < 100; n += 1) {
    await store.put("t", String(n % 7), String(n));
    if (n % 25 === 0) await store.settled();
  }
  await store.settled();
  const [floor] = place.floor();
  assert.ok(floor > 1, `the floor is ${floor}`);
  assert.ok(place.snapshots().length <= 2);
  const again = await open(place);
  assert.equal((await again.stats()).digest, (await store.stats()).digest);
  await store.close();
  await again.close();
});

test("a closed store ends its waits and says so from then on", async () => {
  const store = await open(memory());
  const waiting = store.claim("g", { wait: Number.POSITIVE_INFINITY });
  const empty = store.add("h").then(() => store.waitEmpty("h"));
  await store.flush();
  await store.close();
  await store.close();
  await assert.rejects(waiting, tenure.Closed);
  await assert.rejects(empty, tenure.Closed);
  for (const call of [() => store.add("g"), () => store.groups(), () => store.snapshot(), () => store.export()]) {
    await assert.rejects(call(), tenure.Closed);
  }
  assert.throws(() => store.watch(), tenure.Closed);
});

test("a store is exported whole, before and after a snapshot", async () => {
  const store = await open(memory());
  await store.addMany("g", ["a", "b"]);
  assert.ok((await store.export()).length > 1_024);
  await store.snapshot();
  await store.snapshot();
  assert.ok((await store.export()).length > 1_024);
  await store.close();
});

test("every kind of the catalogue has a class of its own", () => {
  const kinds = catalogue()
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[1]);
  const classes = Object.values(tenure).filter((one) => one?.prototype instanceof tenure.TenureError);
  const named = new Set(classes.filter((one) => one !== tenure.LeaseLost).map((one) => one.kind));
  assert.deepEqual([...new Set(kinds)].sort(), [...named].sort());
});

async function first(iterable) {
  for await (const item of iterable) return item;
  return undefined;
}
