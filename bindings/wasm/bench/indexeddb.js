// 1,000 updates in ticks of 100 on IndexedDB, beside the same bytes written by hand at the same durability. README.md beside
// it says how it is measured.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { launch, serve, tab } from "../test/browser/chromium.js";

const BEGIN = "<!-- speed of the browser: begin -->";
const END = "<!-- speed of the browser: end -->";
const MOST = 1.3;

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    out: { type: "string" },
    into: { type: "string" },
  },
});

/** Times, in milliseconds, of each contender in each round; run in a page, which has the package as `tenure`. */
async function measure(count) {
  const settle = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const ended = (transaction) =>
    new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
  const rowsOf = async (name) => {
    const database = await settle(indexedDB.open(name));
    const turns = await settle(database.transaction("rows").objectStore("rows").getAll());
    database.close();
    return turns.flatMap((turn) => turn.rows);
  };
  const raw = async (name, ticks, put) => {
    const request = indexedDB.open(name);
    request.onupgradeneeded = () => request.result.createObjectStore("rows");
    const database = await settle(request);
    const begun = performance.now();
    let at = 1;
    for (const rows of ticks) {
      const transaction = database.transaction("rows", "readwrite", { durability: "strict" });
      put(transaction.objectStore("rows"), rows, at);
      at += rows.length;
      transaction.commit();
      await ended(transaction);
    }
    const took = performance.now() - begun;
    database.close();
    return took;
  };
  const ours = async (name) => {
    const store = await tenure.open(tenure.indexedDB(name, { persist: false }));
    const begun = performance.now();
    for (let tick = 0; tick < 10; tick += 1) {
      await Promise.all(Array.from({ length: 100 }, (_, n) => store.add("work", `task ${tick * 100 + n}`)));
    }
    const took = performance.now() - begun;
    await store.close();
    return took;
  };
  const rounds = [];
  // The first round warms up, and is not counted.
  for (let round = 0; round <= count; round += 1) {
    const took = { tenure: await ours(`bench-${round}`) };
    const rows = await rowsOf(`bench-${round}`);
    if (rows.length !== 1000) throw new Error(`${rows.length} rows were written instead of 1,000`);
    const ticks = Array.from({ length: 10 }, (_, tick) => rows.slice(tick * 100, tick * 100 + 100));
    took.each = await raw(`each-${round}`, ticks, (store, rows, at) => {
      for (const [index, row] of rows.entries()) store.add(row, at + index);
    });
    took.tick = await raw(`tick-${round}`, ticks, (store, rows, at) => store.add(rows, at));
    if (round > 0) rounds.push(took);
  }
  return rounds;
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

function table({ chromium, cores, load, rounds }) {
  const time = (name) => `${median(rounds.map((round) => round[name])).toFixed(1)} ms`;
  const ratio = (name) => median(rounds.map((round) => round.tenure / round[name]));
  const [each, tick] = [ratio("each"), ratio("tick")];
  const held = each <= MOST ? each.toFixed(2) : `**${each.toFixed(2)}, missed**`;
  return `${cores} cores, Chromium ${chromium}, load at the start ${load.toFixed(1)}, ${rounds.length} rounds

| work | measured | must be: is |
|---|---|---|
| 1,000 updates in ticks of 100, IndexedDB, strict | tenure: ${time("tenure")}<br>raw, each row a request: ${time("each")}<br>raw, each tick a request: ${time("tick")} | times raw, each row a request ≤ ${MOST}: ${held}<br>times raw, each tick a request, for comparison: ${tick.toFixed(2)} |
`;
}

async function run() {
  const load = loadavg()[0];
  const server = await serve();
  const browser = await launch();
  try {
    const page = await tab(await browser.newContext(), server.url);
    const rounds = await page.evaluate(measure, Number(values.rounds));
    return { chromium: browser.version(), cores: availableParallelism(), load, rounds };
  } finally {
    await browser.close();
    server.stop();
  }
}

const results = await run();
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(results, undefined, 1)}\n`);
const text = table(results);
console.log(text);
if (values.into !== undefined) {
  const [before, rest] = readFileSync(values.into, "utf8").split(BEGIN);
  writeFileSync(values.into, `${before}${BEGIN}\n${text}${END}${rest.split(END)[1]}`);
}
