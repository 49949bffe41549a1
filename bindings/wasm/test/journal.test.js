// Journals of one's own: good ones, and those that fail.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as tenure from "../js/node.js";

const { MemoryJournal, open } = tenure;
const METHODS = ["identity", "floor", "read", "append"];

/** A journal over another one, whose methods answer with promises and can be made to misbehave. */
class Wrapped {
  calls = 0;
  misbehave = () => undefined;
  #inner = new MemoryJournal();

  constructor() {
    const inherited = Object.getOwnPropertyNames(MemoryJournal.prototype);
    for (const name of inherited.filter((name) => name !== "constructor" && name !== "listen")) {
      this[name] = async (...given) => {
        this.calls += 1;
        const strange = await this.misbehave(name, this.calls, () => this.#inner[name](...given));
        return strange === undefined ? this.#inner[name](...given) : strange.answer;
      };
    }
  }
}

test("whatever call fails, what was acknowledged is the state, and the exception comes out unchanged", async () => {
  for (const when of ["before", "after"]) {
    let failed = true;
    for (let n = 1; failed; n += 1) {
      const journal = new Wrapped();
      const store = await open(journal, { poll: 10_000 });
      const mine = new Error(`call ${n}`);
      journal.calls = 0;
      failed = false;
      journal.misbehave = async (_name, calls, done) => {
        if (calls !== n) return undefined;
        failed = true;
        if (when === "after") await done();
        throw mine;
      };
      const kept = [];
      for (let at = 0; at < 4; at += 1) {
        try {
          await store.add("g", String(at));
          kept.push(String(at));
        } catch (error) {
          assert.equal(error, mine, `call ${n}`);
        }
      }
      journal.misbehave = () => undefined;
      const again = await open(journal, { poll: 10_000 });
      for (const handle of [store, again]) {
        const found = (await handle.tasks()).map((task) => task.text());
        assert.deepEqual(found, kept, `call ${n}, ${when}`);
        await handle.close();
      }
      assert.ok(n < 100, "it never ends");
    }
  }
});

test("an append that never answers is unknown or resolved by looking, and nothing hangs", async () => {
  const journal = new Wrapped();
  const store = await open(journal, { journalTimeout: 30 });
  journal.misbehave = (name) => (name === "append" ? new Promise(() => {}) : undefined);
  await assert.rejects(
    store.add("g", "x"),
    (error) => error.kind === "unknown" && error.retry === "with_same_request_id",
  );
  journal.misbehave = () => undefined;
  await store.add("g", "y");
  assert.equal((await store.tasks()).length, 1);
  journal.misbehave = (name) => (name === "read" ? new Promise(() => {}) : undefined);
  await assert.rejects(store.add("g", "z"), tenure.Timeout);
  journal.misbehave = () => undefined;
  await store.close();
});

for (const name of METHODS) {
  test(`rubbish from ${name}() is a TypeError that names it`, async () => {
    for (const answer of [undefined, null, 7, "x", {}, [], [[1]], new Uint8Array(3), Number.NaN, Symbol("s"), 1n]) {
      const fine =
        (name === "read" && Array.isArray(answer) && answer.length === 0) || (name === "read" && answer?.length === 0);
      if (fine) continue;
      const journal = new Wrapped();
      const store = await open(journal, { poll: 10_000 });
      await store.add("g", "x");
      let once = true;
      journal.misbehave = (called) => {
        if (called !== name || !once) return undefined;
        once = name === "read" && answer === null;
        return { answer };
      };
      const raised = await store.add("g", "y").then(
        () => undefined,
        (error) => error,
      );
      assert.ok(raised instanceof TypeError, `${String(answer)}: ${raised}`);
      assert.match(raised.message, new RegExp(`${name}\\(\\)`));
      await store.close();
    }
  });
}

test("rows of another store in its place make the handle Fenced", async () => {
  const journal = new Wrapped();
  const store = await open(journal);
  await store.add("g", "x");
  const waiting = store.claim("h", { wait: Number.POSITIVE_INFINITY });
  await store.flush();
  const other = new Uint8Array(16).fill(7);
  journal.misbehave = (name) => (name === "identity" ? { answer: other } : undefined);
  await assert.rejects(store.add("g", "y"), tenure.Fenced);
  await assert.rejects(waiting, tenure.Fenced);
  await assert.rejects(store.groups(), tenure.Fenced);
  await store.close();
});

test("what is no journal is refused with what it lacks", async () => {
  for (const place of [undefined, null, 7, "name", {}, { identity() {} }]) {
    await assert.rejects(open(place), (error) => error instanceof tenure.Invalid && /append/.test(error.message));
  }
});
