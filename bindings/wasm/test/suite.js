// What every store does, embedded or served: the same tests for both.
import assert from "node:assert/strict";
import { test } from "node:test";

async function first(iterable) {
  for await (const item of iterable) return item;
  return undefined;
}

/**
 * Runs the suite with the classes of `tenure`. `begin` answers with a new place: `open(options)` gives handles on one store,
 * by `clock`; `asked(n)` waits until n claims wait in the store, `soon(look)` until `look` is
 * true; `stop` ends it.
 */
export function suite(tenure, begin, skip) {
  const about = (name, body) =>
    test(name, { skip }, async () => {
      const place = await begin();
      try {
        await body(place);
      } finally {
        await place.stop();
      }
    });

  about("a task is added, claimed and finished once", async (place) => {
    const store = await place.open();
    await store.add("map", "part-1", { key: "one" });
    const task = await store.claim("map", { lease: 5_000 });
    assert.equal(task.text(), "part-1");
    assert.deepEqual(task.data, new TextEncoder().encode("part-1"));
    await store.finish(task);
    await assert.rejects(store.finish(task), tenure.Rejected);
    assert.deepEqual(await store.groups(), []);
    await store.close();
  });

  about("bytes and JSON come back as they were", async (place) => {
    const store = await place.open();
    const bytes = Uint8Array.from({ length: 70_000 }, (_, at) => at % 251);
    assert.deepEqual((await store.add("g", bytes)).data, bytes);
    assert.deepEqual((await store.add("g", bytes.buffer)).data, bytes);
    assert.deepEqual((await store.add("g", bytes.subarray(3, 9))).data, bytes.slice(3, 9));
    assert.deepEqual((await store.add("g", undefined, { json: { a: [1, "ü"] } })).json(), { a: [1, "ü"] });
    assert.deepEqual((await store.add("g")).data, new Uint8Array());
    await store.close();
  });

  about("a waiting claim gets what is added, what is released, and what becomes due", async (place) => {
    const { clock } = place;
    const store = await place.open();
    let waiting = store.claim("g", { wait: Number.POSITIVE_INFINITY });
    await store.add("g", "added");
    let task = await waiting;
    assert.equal(task.text(), "added");
    waiting = store.claim("g", { wait: Number.POSITIVE_INFINITY });
    await store.release(task, { delay: 500 });
    await place.asked(1);
    await clock.advance(500);
    task = await waiting;
    assert.equal(task.attempt, 2);
    waiting = store.claim("g", { wait: 100_000 });
    await place.asked(1);
    await clock.advance(60_000);
    assert.equal((await waiting).attempt, 3, "a lease that ended");
    waiting = store.claim("g", { wait: 1_000 });
    await place.asked(1);
    await clock.advance(1_000);
    assert.equal(await waiting, null);
    await store.close();
  });

  about("a cancelled wait holds nothing and rejects with the signal's reason", async (place) => {
    const store = await place.open();
    const abort = new AbortController();
    const waiting = store.claim("g", { wait: Number.POSITIVE_INFINITY, signal: abort.signal });
    const adding = store.add("g", "x");
    abort.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    await adding;
    await store.flush();
    await place.soon(async () => (await store.group("g")).available === 1);
    await assert.rejects(store.claim("g", { signal: AbortSignal.abort(new Error("before")) }), /before/);
    await store.close();
  });

  about("a held task renews itself, and its end is told once it is lost", async (place) => {
    const { clock } = place;
    const store = await place.open();
    await store.add("g", "x");
    const [held] = [await first(store.claims("g", { lease: 9_000 }))];
    const claimed = held.task.id;
    await clock.advance(3_000);
    assert.notEqual(held.task.id, claimed);
    assert.equal(held.task.availableAt, clock.now() + 9_000);
    const other = await place.open();
    await other.cancel(held.task, { force: true });
    await clock.advance(3_000);
    assert.equal(held.lost, true);
    assert.equal(held.signal.aborted, true);
    assert.ok(held.signal.reason instanceof tenure.LeaseLost);
    await assert.rejects(held.finish(), tenure.LeaseLost);
    await store.close();
    await other.close();
  });

  about("a claimed task is held on request, and one that is another's is not", async (place) => {
    const { clock } = place;
    const [store, other] = [await place.open(), await place.open()];
    await store.add("g", "x");
    const claimed = await store.claim("g", { lease: 1_000 });
    const held = await store.hold(claimed, { lease: 9_000 });
    assert.equal(held.task.availableAt, clock.now() + 9_000);
    await clock.advance(3_000);
    assert.equal(held.task.availableAt, clock.now() + 9_000);
    await assert.rejects(other.hold(claimed), tenure.Rejected);
    await assert.rejects(store.hold(7), tenure.Invalid);
    await held.finish();
    await store.close();
    await other.close();
  });

  about("a transaction by hand is committed once, or not at all", async (place) => {
    const store = await place.open();
    const tx = store.transaction();
    tx.add("g", "x");
    tx.increment("t", "n", 2);
    const committed = await tx.commit();
    assert.deepEqual([committed.tasks.length, committed.counts], [1, [2]]);
    await assert.rejects(tx.commit(), tenure.Invalid);
    const other = store.transaction();
    other.add("g", "y");
    await other[Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]();
    await assert.rejects(other.commit(), tenure.Invalid);
    assert.equal((await store.group("g")).tasks, 1);
    assert.equal((await store.transaction().commit()).tasks.length, 0);
    await store.close();
  });

  about("run finishes a task, fails it with the exception, and leaves what was ended inside", async (place) => {
    const { clock } = place;
    const store = await place.open();
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

  about("a transaction runs again where what it read has changed, and not for anything else", async (place) => {
    const [one, other] = [await place.open(), await place.open()];
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

  about("a group is paused and goes on, and its other settings stay", async (place) => {
    const store = await place.open();
    await store.add("g");
    await store.put("_groups", "g", '{"note":"n"}');
    await store.pause("g");
    assert.equal(await store.claim("g"), null);
    assert.deepEqual((await store.get("_groups", "g")).json(), { note: "n", paused: true });
    await store.pause("g", false);
    assert.deepEqual((await store.get("_groups", "g")).json(), { note: "n" });
    assert.ok(await store.claim("g"));
    await store.pause("other");
    await store.pause("other", false);
    assert.equal(await store.get("_groups", "other"), null);
    await assert.rejects(store.put("_groups", "g", "no object"), tenure.Invalid);
    await store.close();
  });

  about("a watch tells what every handle commits, from when it was made", async (place) => {
    const [one, other] = [await place.open(), await place.open({ actor: "other" })];
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

  about("a closed store ends its waits and says so from then on", async (place) => {
    const store = await place.open();
    const waiting = store.claim("g", { wait: Number.POSITIVE_INFINITY });
    const empty = store.add("h").then(() => store.waitEmpty("h"));
    const ended = [waiting, empty].map((wait) => assert.rejects(wait, tenure.Closed));
    await store.flush();
    await store.close();
    await store.close();
    await Promise.all(ended);
    for (const call of [() => store.add("g"), () => store.groups(), () => store.snapshot(), () => store.export()]) {
      await assert.rejects(call(), tenure.Closed);
    }
    assert.throws(() => store.watch(), tenure.Closed);
  });
}
