// Held leases in tabs that are hidden, throttled and frozen: by the browser itself, nothing of it is played.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { serve } from "./chromium.js";
import { Browser } from "./devtools.js";

let server;
let browser;
let holder;
let other;

before(async () => {
  server = await serve();
  browser = await Browser.launch();
});

after(async () => {
  await browser?.close();
  server?.stop();
});

let stores = 0;

/** Two tabs on a new store; the holder has its task for `lease`, and the other one is in front. */
async function begin(lease) {
  stores += 1;
  const load = `(async () => {
    window.tenure = await import("/bindings/wasm/js/index.js");
    window.store = await tenure.open(tenure.indexedDB("hidden-${stores}", { persist: false }));
    window.seen = [];
    for (const name of ["freeze", "resume", "visibilitychange"]) {
      document.addEventListener(name, () => seen.push(name === "visibilitychange" ? document.visibilityState : name));
    }
  })()`;
  for (const tab of [holder, other]) await tab.evaluate(load);
  await holder.front();
  await holder.evaluate(`(async () => {
    await store.add("held", "x");
    window.held = (await store.claims("held", { lease: ${lease} }).next()).value;
    window.lost = new Promise((resolve) =>
      held.signal.addEventListener("abort", () => resolve([held.signal.reason.name, held.signal.reason.code])));
    window.rings = [];
    setInterval(() => rings.push(Date.now()), 100);
  })()`);
  await other.front();
  while ((await holder.evaluate("document.visibilityState")) !== "hidden");
}

/** Whether the other tab gets the task within so long, and at which attempt. */
const taken = (wait) => other.evaluate(`store.claim("held", { wait: ${wait} }).then((task) => task?.attempt ?? null)`);

beforeEach(async () => {
  holder = await browser.open(`${server.url}/empty`);
  other = await browser.open(`${server.url}/empty`);
});

test("a lease of a second and a half stays renewed in a hidden tab whose own timers are slowed down", async (t) => {
  await begin(1_500);
  assert.equal(await taken(8_000), null, "the lease was not renewed");
  assert.equal(await holder.evaluate("held.lost"), false);
  const rings = await holder.evaluate("rings.filter((at) => at > Date.now() - 5_000).length");
  t.diagnostic(`a timer of 100 ms rang ${rings} times in the last 5 s`);
  assert.ok(rings <= 6, `the tab's timers were not throttled: ${rings} rings`);
  await holder.evaluate("held.finish()");
  assert.deepEqual(await holder.evaluate("seen.slice(-1)"), ["hidden"]);
});

test("a lease that ends while its tab is frozen goes to another, and the tab is told when it thaws", async () => {
  await begin(1_200);
  await holder.freeze();
  assert.equal(await taken(10_000), 2, "a frozen tab keeps its lease");
  await holder.thaw();
  assert.deepEqual(await holder.evaluate("lost"), ["LeaseLost", "lease_lost"]);
  assert.equal(await holder.evaluate("held.finish().catch((error) => error.name)"), "LeaseLost");
  assert.deepEqual(await holder.evaluate("seen.slice(-3)"), ["hidden", "freeze", "resume"]);
});

test("a lease that outlasts the frost is renewed after it", async () => {
  await begin(6_000);
  await holder.freeze();
  assert.equal(await taken(1_500), null);
  await holder.thaw();
  assert.equal(await taken(7_000), null, "the lease was not renewed");
  assert.equal(await holder.evaluate("held.finish().then(() => held.ended)"), true);
  assert.deepEqual(await holder.evaluate("seen.slice(-3)"), ["hidden", "freeze", "resume"]);
});
