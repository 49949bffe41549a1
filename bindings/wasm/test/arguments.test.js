// Arguments that can't be right: the right class each time, and never a hang or the inside of the module.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as tenure from "../js/node.js";

const { Invalid, memory, open } = tenure;
let store;

before(async () => {
  store = await open(memory());
  await store.add("g", "x");
});
after(() => store.close());

const detached = () => {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
};

const lone = "half \ud800 of a pair";
const strange = [7, true, null, Symbol("s"), 1n, {}, [], () => {}, Number.NaN];

const WRONG = {
  "a group that is no string": strange.map((value) => () => store.add(value, "x")),
  "a group to claim from that is no string": [7, true, null, {}, Symbol("s")].map((value) => () => store.claim(value)),
  "no group to claim from": [() => store.claim([])],
  "an empty name": [() => store.add("", "x"), () => store.put("", "k", "v")],
  "data that is none": [7, true, Symbol("s"), 1n, {}, [], () => {}].map((value) => () => store.add("g", value)),
  "a detached buffer": [
    () => store.add("g", detached()),
    () => store.add("g", detached().buffer),
    () => store.put("t", "k", detached()),
  ],
  "half of a surrogate pair": [
    () => store.add("g", lone),
    () => store.add(lone, "x"),
    () => store.add("g", "x", { key: lone }),
    () => store.claim(lone),
    () => store.put("t", lone, "v"),
    () => store.get("t", lone),
    () => store.fail(1, lone),
    () => store.pause(lone),
  ],
  "JSON that is none": [
    () =>
      store.add("g", undefined, { json: undefined }).then(() => Promise.reject(new Invalid("undefined is left out"))),
    () => store.add("g", undefined, { json: 1n }),
    () => store.add("g", undefined, { json: () => {} }),
    () => store.update({ adds: [{ group: "g", data: "x", json: 1 }] }),
  ],
  "a lease that is none": [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1.5, "60s", 2 ** 60].flatMap((lease) => [
    () => store.claim("g", { lease }),
    () => store.renew(1, lease),
    async () => store.claims("g", { lease })[Symbol.asyncIterator]().next(),
  ]),
  "a wait that is none": [-1, Number.NaN, Number.NEGATIVE_INFINITY, 1.5, "1"].map(
    (wait) => () => store.claim("g", { wait }),
  ),
  "a delay that is none": [-1, Number.NaN, Number.POSITIVE_INFINITY, 0.5, "1", {}].map(
    (delay) => () => store.add("g", "x", { delay }),
  ),
  "a limit that is none": [0, -1, 1.5, Number.NaN, "1", 2 ** 53].map((limit) => () => store.claimMany("g", { limit })),
  "a task that is none": [undefined, null, "1", {}, [], true].map((task) => () => store.finish(task)),
  "an id that is none": [0, -1, 1.5, Number.NaN, 2 ** 53].map((id) => () => store.finish(id)),
  "an id to look for that is none": [-1, 1.5, Number.NaN, "1", undefined].map((id) => () => store.task(id)),
  "an option that is not known": [
    () => store.add("g", "x", { priority: 1 }),
    () => store.claim("g", { leese: 1 }),
    () => store.tasks({ status: "held" }),
    () => store.update({ add: [] }),
    () => store.update({ adds: [{ grupp: "g" }] }),
    () => open(memory(), { colour: 1 }),
    () => open(memory(), { limits: { taste: 1 } }),
  ],
  "options that are no object": [() => store.add("g", "x", 7), () => store.claim("g", "x"), () => open(memory(), "x")],
  "a state that is none": [() => store.tasks({ state: "done" })],
  "an empty request": [() => store.update({}), () => store.update(null), () => store.update(7)],
  "a signal that is none": [() => store.claim("g", { signal: {} })],
  "a failure without words": [() => store.fail(1), () => store.fail(1, 7)],
  "an archive that is none": [
    () => tenure.importStore(tenure.indexedDB("x"), new Uint8Array(2_000)),
    () => tenure.importStore(tenure.indexedDB("x"), new Uint8Array(7)),
    () => tenure.importStore(memory(), new Uint8Array()),
  ],
  "IndexedDB where there is none": [() => open(tenure.indexedDB("x"))],
  "an owner that is none": [0, -1, 1.5, "x"].map((owner) => () => open(memory(), { owner })),
};

for (const [name, calls] of Object.entries(WRONG)) {
  test(`${name} is Invalid`, async () => {
    for (const call of calls) {
      const error = await (async () => call())().then(
        (value) => assert.fail(`${call} answered ${JSON.stringify(value)}`),
        (error) => error,
      );
      assert.ok(error instanceof Invalid, `${call}: ${error?.stack}`);
      assert.equal(error.outcome, "not_started");
      assert.doesNotMatch(error.message, /panick|unreachable|unwrap/);
    }
  });
}

test("what is too large is refused before it fills the memory", async () => {
  const huge = "x".repeat(300 << 20);
  for (const call of [() => store.add("g", huge), () => store.add(huge, "x"), () => store.put("t", "k", huge)]) {
    await assert.rejects(call(), (error) => error instanceof Invalid && error.code === "over_limit");
  }
  await assert.rejects(store.add("g", "x".repeat((16 << 20) + 1)), (error) => error.code === "over_limit");
  assert.equal((await store.add("g", "x".repeat(16 << 20))).data.length, 16 << 20);
});
