// What IndexedDB does to a store, in Chromium.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { lacks, PROGRAM } from "../service.js";
import { LEFT_OUT, SCRIPTS } from "../vectors.js";
import { launch, serve, tab } from "./chromium.js";

let server;
let browser;
let context;
let page;

before(async () => {
  server = await serve();
  browser = await launch();
  context = await browser.newContext();
  page = await tab(context, server.url);
});

after(async () => {
  await browser?.close();
  server?.stop();
});

for (const name of SCRIPTS) {
  test(`the vectors of ${name} hold in IndexedDB`, async () => {
    const path = new URL(`../../../../core/tests/vectors/${name}.json`, import.meta.url);
    const { scripts } = JSON.parse(await readFile(path, "utf8"));
    const wanted = scripts.filter((script) => script.name !== LEFT_OUT);
    const faults = await page.evaluate(
      async ([name, scripts]) => {
        const { optionsOf, runScript } = await import("/bindings/wasm/test/vectors.js");
        const sorted = (value) => {
          if (Array.isArray(value)) return value.map(sorted);
          if (typeof value !== "object" || value === null) return value;
          const entries = Object.entries(value).map(([name, inside]) => [name, sorted(inside)]);
          return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
        };
        const faults = [];
        for (const [number, script] of scripts.entries()) {
          const clock = new tenure.FakeClock(1_000_000);
          const place = tenure.indexedDB(`${name}-${number}`, { persist: false });
          const store = await tenure.open(place, optionsOf(script, clock));
          await runScript(script, store, clock, tenure, (found, expected, where) => {
            const [one, other] = [JSON.stringify(sorted(found)), JSON.stringify(sorted(expected))];
            if (one !== other) faults.push(`${script.name}, ${where}: ${one} instead of ${other}`);
          });
          await store.close();
          indexedDB.deleteDatabase(`${name}-${number}`);
        }
        return faults;
      },
      [name, wanted],
    );
    assert.deepEqual(faults, []);
  });
}

test("a full disk is Unavailable, nothing is lost, and it goes on once there is space", async () => {
  const context = await browser.newContext();
  const page = await tab(context, server.url);
  const session = await context.newCDPSession(page);
  const origin = server.url;
  await session.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 2_000_000 });
  const [failed, taken, before] = await page.evaluate(async () => {
    window.store = await tenure.open(tenure.indexedDB("full", { persist: false }), { snapshots: false });
    const kept = async () => (await store.stats()).digest;
    for (let n = 1; n < 100; n += 1) {
      const digest = await kept();
      try {
        await store.add("work", crypto.getRandomValues(new Uint8Array(60_000)));
      } catch (error) {
        const { name, code, outcome, retry } = error;
        return [{ name, code, outcome, retry }, (await store.tasks()).length === n - 1, digest === (await kept())];
      }
    }
    return ["it was never full"];
  });
  assert.deepEqual(failed, { name: "Unavailable", code: "no_space", outcome: "refused", retry: "later" });
  assert.ok(taken && before, "what was refused left something");
  await session.send("Storage.overrideQuotaForOrigin", { origin });
  const [found, same, added] = await page.evaluate(async () => {
    const ids = async (store) => (await store.tasks()).map((task) => task.id);
    const found = await ids(store);
    await store.close();
    const again = await tenure.open(tenure.indexedDB("full", { persist: false }));
    const same = await ids(again);
    const added = await again.add("work", crypto.getRandomValues(new Uint8Array(60_000)));
    await again.close();
    return [found, same, added.id];
  });
  assert.deepEqual(found, same);
  assert.equal(added, found.length + 1);
  await context.close();
});

test("a store that was evicted makes every tab Fenced, and a claim that waits too", async () => {
  const [one, other] = [await tab(context, server.url), await tab(context, server.url)];
  for (const page of [one, other]) {
    await page.evaluate(async () => {
      window.store = await tenure.open(tenure.indexedDB("evicted", { persist: false }), { poll: 100 });
      await store.add("work", "a", { delay: 3_600_000 });
      const told = (error) => `${error.name} ${error.code}`;
      window.waiting = store.claim("work", { wait: Number.POSITIVE_INFINITY }).catch(told);
    });
  }
  const session = await context.newCDPSession(one);
  await session.send("Storage.clearDataForOrigin", { origin: server.url, storageTypes: "indexeddb" });
  for (const page of [one, other]) {
    assert.equal(await page.evaluate(() => waiting), "Fenced replaced");
    const code = await page.evaluate(() => store.add("work", "b").catch((error) => `${error.name} ${error.code}`));
    assert.equal(code, "Fenced replaced");
  }
  const anew = await one.evaluate(async () => {
    const store = await tenure.open(tenure.indexedDB("evicted", { persist: false }));
    const found = (await store.tasks()).length;
    await store.close();
    return found;
  });
  assert.equal(anew, 0);
  await one.close();
  await other.close();
});

test("an exported store is read by the command line, and imported as another store", { skip: lacks() }, async () => {
  const [archive, copied] = await page.evaluate(async () => {
    const store = await tenure.open(tenure.indexedDB("out", { persist: false }));
    await store.addMany("work", ["a", "b", "c"]);
    await store.finish(await store.claim("work", { order: "oldest" }));
    await store.put("jobs", "job-1", "begun");
    const bytes = await store.export();
    const before = (await store.tasks()).map((task) => [task.id, task.text()]);
    await store.close();
    await tenure.importStore(tenure.indexedDB("in"), bytes);
    const copy = await tenure.open(tenure.indexedDB("in", { persist: false }));
    const after = (await copy.tasks()).map((task) => [task.id, task.text()]);
    const record = (await copy.get("jobs", "job-1")).text();
    const next = (await copy.add("work", "d")).id;
    await copy.close();
    const taken = await tenure.importStore(tenure.indexedDB("in"), bytes).catch((error) => error.code);
    return [Array.from(bytes), { before, after, record, next, taken }];
  });
  assert.deepEqual(copied.before, copied.after);
  assert.equal(copied.record, "begun");
  assert.ok(copied.next >= 2 ** 40, "an id could come twice");
  assert.equal(copied.taken, "invalid");

  const folder = await mkdtemp(join(tmpdir(), "tenure-export-"));
  try {
    await writeFile(join(folder, "export.tar"), Uint8Array.from(archive));
    const untar = spawnSync("tar", ["-xf", "export.tar", "--one-top-level=store"], { cwd: folder });
    assert.equal(untar.status, 0, String(untar.stderr));
    const inspect = spawnSync(PROGRAM, ["inspect", join(folder, "store"), "--all", "--json"], { encoding: "utf8" });
    assert.equal(inspect.status, 0, inspect.stderr);
    const lines = inspect.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.equal(lines.filter((line) => line.entry).length, 4);
    assert.equal(lines.find((line) => line.state).state.tasks, 2);
    assert.ok(!lines.some((line) => line.unreadable || line.error), inspect.stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a store goes on after a snapshot, with fewer rows, and other tabs follow it", async () => {
  const other = await tab(context, server.url);
  await other.evaluate(async () => {
    window.store = await tenure.open(tenure.indexedDB("snapshots", { persist: false }));
    await store.add("work", "from the other");
  });
  const found = await page.evaluate(async () => {
    const rows = () =>
      new Promise((resolve) => {
        const request = indexedDB.open("snapshots");
        request.onsuccess = () => {
          const count = request.result.transaction("rows").objectStore("rows").count();
          count.onsuccess = () => {
            request.result.close();
            resolve(count.result);
          };
        };
      });
    const store = await tenure.open(tenure.indexedDB("snapshots", { persist: false }), { snapshots: false });
    for (let n = 0; n < 3; n += 1) {
      for (let at = 0; at < 20; at += 1) await store.add("work", `${n}-${at}`);
      await store.snapshot();
    }
    await store.close();
    const again = await tenure.open(tenure.indexedDB("snapshots", { persist: false }));
    const tasks = (await again.tasks()).length;
    await again.close();
    return [tasks, await rows()];
  });
  assert.equal(found[0], 61);
  assert.ok(found[1] < 45, `${found[1]} rows were kept`);
  // This one stands before the floor by now.
  assert.equal(await other.evaluate(async () => (await store.tasks()).length), 61);
  await other.evaluate(async () => {
    await store.add("work", "and on");
    await store.close();
  });
  await other.close();
});

test("the browser is asked to keep the store, and its answer is shown", async () => {
  const answer = await page.evaluate(async () => {
    const store = await tenure.open(tenure.indexedDB("kept"));
    const { persisted } = await store.stats();
    await store.close();
    return persisted;
  });
  assert.equal(typeof answer, "boolean");
});
