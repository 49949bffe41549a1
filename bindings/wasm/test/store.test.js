import assert from "node:assert/strict";
import { test } from "node:test";
import { catalogue } from "../js/module.js";
import * as tenure from "../js/node.js";
import { suite } from "./suite.js";

const { FakeClock, memory, open } = tenure;

suite(tenure, () => {
  const journal = memory();
  const clock = new FakeClock(1_000_000);
  return {
    clock,
    open: (options) => open(journal, { clock, ...options }),
    asked: () => {},
    soon: async (look) => assert.ok(await look()),
    stop: () => {},
  };
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
