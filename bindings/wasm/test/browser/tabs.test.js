// Several tabs on one store, in Chromium, while the worst happens to some of them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { serve } from "./chromium.js";
import { Browser } from "./devtools.js";

const TABS = 4;
const TASKS = 500;

let server;
let browser;

before(async () => {
  server = await serve();
  browser = await Browser.launch();
});

after(async () => {
  await browser?.close();
  server?.stop();
});

const OPEN = `(async () => {
  window.tenure = await import("/bindings/wasm/js/index.js");
  const often = { snapshotBytes: 50_000, snapshotEntries: 300 };
  window.store = await tenure.open(tenure.indexedDB("many", { persist: false }), often);
})()`;

const FLOOR = `new Promise((resolve) => {
  indexedDB.open("many").onsuccess = ({ target: { result } }) => {
    result.transaction("meta").objectStore("meta").getAll().onsuccess = ({ target }) => {
      result.close();
      resolve(target.result[0].floor);
    };
  };
})`;

const WORK = `(async () => {
  const { work } = await import("/bindings/wasm/test/browser/worker.js");
  window.failed = [];
  for (let n = 0; n < 10; n += 1) {
    work(store).catch((error) => {
      if (error.kind !== "closed") failed.push(error.name + " " + error.code + ": " + error.message);
    });
  }
})()`;

const ADD = `(async () => {
  for (let n = 0; n < ${TASKS}; n += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, at) => store.add("work", String(n + at))));
  }
})()`;

test("4 tabs commit each of 2,000 tasks once, while tabs are closed, reloaded and frozen", async () => {
  const [judge, ...tabs] = await Promise.all(
    Array.from({ length: 1 + TABS }, async () => {
      const tab = await browser.open(`${server.url}/empty`);
      await tab.evaluate(OPEN);
      return tab;
    }),
  );
  await Promise.all(tabs.map((tab) => tab.evaluate(WORK)));
  await Promise.all(tabs.map((tab) => tab.evaluate(ADD)));
  const left = () => judge.evaluate('store.group("work").then(({ tasks }) => tasks)');
  assert.ok((await left()) > 0, "the tabs were done before anything could go wrong");

  // One is frozen with what it holds, one is closed, one is reloaded.
  await judge.front();
  await tabs[0].freeze();
  await tabs[1].close();
  await tabs[2].reload();
  await tabs[2].evaluate(OPEN);
  await tabs[2].evaluate(WORK);

  assert.equal(await judge.evaluate('store.waitEmpty("work", { timeout: 180_000 })'), true, "tasks are left");
  await tabs[0].thaw();
  const counts = await judge.evaluate(`store.scan("done", { limit: 10_000 }).then((records) =>
    records.map((record) => Number(record.text())))`);
  assert.equal(counts.length, TABS * TASKS);
  assert.deepEqual([...new Set(counts)], [1], "a task was committed twice");
  const stayed = [tabs[0], tabs[2], tabs[3]];
  for (const tab of stayed) assert.deepEqual(await tab.evaluate("failed"), []);
  const digest = "store.stats().then(({ digest }) => digest)";
  const digests = await Promise.all([judge, ...stayed].map((tab) => tab.evaluate(digest)));
  assert.equal(new Set(digests).size, 1, "the tabs do not have the same state");
  // All that while snapshots were taken, and one who opens it now sees the same.
  assert.ok((await judge.evaluate(FLOOR)) > 1000, "the rows were never let go of");
  await judge.reload();
  await judge.evaluate(OPEN);
  assert.equal(await judge.evaluate(digest), digests[0]);
});
