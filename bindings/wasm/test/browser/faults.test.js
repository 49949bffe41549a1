// Stores whose database the browser takes away under their hands: what it aborts, forgets, or does without a word.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, serve, tab } from "./chromium.js";

let server;
let browser;
let context;

before(async () => {
  server = await serve();
  browser = await launch();
  context = await browser.newContext();
});

after(async () => {
  await browser?.close();
  server?.stop();
});

/** The browser's own method, done otherwise the first times that it is called while `doing` runs in the page. */
const DISTURB = `window.disturb = async (type, method, times, otherwise, doing) => {
  const own = type.prototype[method];
  type.prototype[method] = function (...given) {
    times -= 1;
    return times < 0 ? own.apply(this, given) : otherwise(() => own.apply(this, given), this);
  };
  try {
    return await doing();
  } finally {
    type.prototype[method] = own;
  }
};`;

test("a database whose opening the browser forgot is opened all the same", async () => {
  const page = await tab(context, server.url);
  await page.evaluate(DISTURB);
  const id = await page.evaluate(() =>
    disturb(
      IDBFactory,
      "open",
      1,
      () => ({}),
      async () => {
        const store = await tenure.open(tenure.indexedDB("forgotten", { persist: false }));
        const task = await store.add("work", "a");
        await store.close();
        return task.id;
      },
    ),
  );
  assert.equal(id, 1);
  await page.close();
});

test("a turn that the browser aborts is done again, and refused where that goes on", async () => {
  const page = await tab(context, server.url);
  await page.evaluate(DISTURB);
  const found = await page.evaluate(async () => {
    const store = await tenure.open(tenure.indexedDB("aborted", { persist: false }));
    const abort = (begin) => {
      const transaction = begin();
      queueMicrotask(() => transaction.abort());
      return transaction;
    };
    // Once its rows are in it.
    const abortLate = (_, transaction) => transaction.abort();
    const add = () => store.add("work", "a").catch((error) => `${error.name} ${error.code}`);
    const once = await disturb(IDBDatabase, "transaction", 1, abort, add);
    const often = await disturb(IDBDatabase, "transaction", 100, abort, add);
    const after = await add();
    const late = await disturb(IDBTransaction, "commit", 3, abortLate, add);
    const oftenLate = await disturb(IDBTransaction, "commit", 100, abortLate, add);
    const tasks = await store.tasks();
    await store.close();
    return [once.id, often, after.id, late.id, oftenLate, tasks.length];
  });
  assert.deepEqual(found, [1, "Unavailable unavailable", 2, 3, "Unavailable unavailable", 3]);
  await page.close();
});

test("a turn whose transaction the browser forgot as it closed the database is done again", async () => {
  const page = await tab(context, server.url);
  await page.evaluate(DISTURB);
  const found = await page.evaluate(async () => {
    const store = await tenure.open(tenure.indexedDB("dropped", { persist: false }));
    const drop = (begin, database) => {
      const transaction = begin();
      for (const name of ["oncomplete", "onabort"]) Object.defineProperty(transaction, name, { set() {} });
      queueMicrotask(() => {
        transaction.abort();
        database.dispatchEvent(new Event("close"));
      });
      return transaction;
    };
    const task = await disturb(IDBDatabase, "transaction", 1, drop, () => store.add("work", "a"));
    const tasks = await store.tasks();
    await store.close();
    return [task.id, tasks.length];
  });
  assert.deepEqual(found, [1, 1]);
  await page.close();
});

for (const commits of [true, false]) {
  test(`a write that the browser ${commits ? "did" : "undid"} without a word is found out as it closes the database`, async () => {
    const page = await tab(context, server.url);
    await page.evaluate(DISTURB);
    const found = await page.evaluate(async (commits) => {
      const store = await tenure.open(tenure.indexedDB(`silent-${commits}`, { persist: false }));
      const fall = (commit, transaction) => {
        const over = () => transaction.db.dispatchEvent(new Event("close"));
        transaction.oncomplete = over;
        transaction.onabort = over;
        if (commits) commit();
        else transaction.abort();
      };
      const add = () => store.add("work", "a").catch((error) => `${error.name} ${error.code} ${error.outcome}`);
      const first = await disturb(IDBTransaction, "commit", 1, fall, add);
      const second = await add();
      const tasks = await store.tasks();
      await store.close();
      return [first.id ?? first, typeof second.id, tasks.length];
    }, commits);
    const first = commits ? 1 : "Unavailable unavailable refused";
    assert.deepEqual(found, [first, "number", commits ? 2 : 1]);
    await page.close();
  });
}
