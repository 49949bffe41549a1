// 1,000 updates in ticks of 100 on IndexedDB, beside the same bytes written by hand at the same durability.
import { launch, serve, tab } from "../test/browser/chromium.js";

const ROUNDS = 5;

const server = await serve();
const browser = await launch();
try {
  const page = await tab(await browser.newContext(), server.url);
  const rounds = await page.evaluate(async (count) => {
    const settle = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const rowsOf = async (name) => {
      const database = await settle(indexedDB.open(name));
      const rows = await settle(database.transaction("rows").objectStore("rows").getAll());
      database.close();
      return rows;
    };
    const raw = async (name, ticks) => {
      const request = indexedDB.open(name);
      request.onupgradeneeded = () => request.result.createObjectStore("rows");
      const database = await settle(request);
      const begun = performance.now();
      let at = 1;
      for (const rows of ticks) {
        const transaction = database.transaction("rows", "readwrite", { durability: "strict" });
        const store = transaction.objectStore("rows");
        for (const row of rows) {
          store.add(row, at);
          at += 1;
        }
        transaction.commit();
        await new Promise((resolve, reject) => {
          transaction.oncomplete = resolve;
          transaction.onabort = () => reject(transaction.error);
        });
      }
      const took = performance.now() - begun;
      database.close();
      return took;
    };
    const rounds = [];
    for (let round = 0; round < count; round += 1) {
      const name = `bench-${round}`;
      const store = await tenure.open(tenure.indexedDB(name, { persist: false }));
      const begun = performance.now();
      for (let tick = 0; tick < 10; tick += 1) {
        const adds = Array.from({ length: 100 }, (_, n) => store.add("work", `task ${tick * 100 + n}`));
        await Promise.all(adds);
      }
      const ours = performance.now() - begun;
      await store.close();
      const rows = await rowsOf(name);
      const ticks = Array.from({ length: 10 }, (_, tick) => rows.slice(tick * 100, tick * 100 + 100));
      rounds.push([ours, await raw(`raw-${round}`, ticks)]);
    }
    return rounds;
  }, ROUNDS);
  const median = (of) => rounds.map((round) => round[of]).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
  const [ours, theirs] = [median(0), median(1)];
  console.log(
    `tenure ${ours.toFixed(1)} ms, raw IndexedDB ${theirs.toFixed(1)} ms, ${(ours / theirs).toFixed(2)} x (at most 1.3)`,
  );
} finally {
  await browser.close();
  server.stop();
}
