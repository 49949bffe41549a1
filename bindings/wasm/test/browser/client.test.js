// The client of a service in Chromium, in pages of another site than the service's.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { asked, lacks, Service } from "../service.js";
import { launch, serve } from "./chromium.js";

const skip = lacks();
let server;
let browser;
let service;

before(async () => {
  if (skip) return;
  server = await serve();
  service = await Service.start("--allow-origin", server.url);
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.stop();
  await service?.stop();
});

/** A page that has the client as `tenure`, and a list of what it has fetched. */
async function page(context, url = server.url) {
  const made = await context.newPage();
  made.fetched = [];
  made.on("request", (request) => made.fetched.push(request.url()));
  await made.goto(`${url}/empty`);
  await made.evaluate(async () => {
    window.tenure = await import("/bindings/wasm/js/client.js");
  });
  return made;
}

test("two pages of another site share a service's tasks, without WebAssembly", { skip }, async () => {
  const context = await browser.newContext();
  const pages = [await page(context), await page(context)];
  for (const one of pages) {
    await one.evaluate(async (url) => {
      window.store = await tenure.connect(url);
      window.stop = new AbortController();
      window.worker = (async () => {
        for await (const held of store.claims("work", { lease: 4_000, signal: stop.signal })) {
          await store.transact((tx) => {
            tx.finish(held);
            tx.increment("done", held.text());
          });
        }
      })();
    }, service.url);
  }
  const [watched, empty] = await pages[0].evaluate(async () => {
    const watch = store.watch();
    const items = Array.from({ length: 100 }, (_, n) => String(n));
    await store.addMany("work", items);
    const { value } = await watch.next();
    watch.close();
    return [value.changes.length, await store.waitEmpty("work", { timeout: 60_000 })];
  });
  assert.deepEqual([watched, empty], [100, true]);
  const counts = await pages[1].evaluate(async () => (await store.scan("done")).map((record) => record.text()));
  assert.deepEqual(counts, new Array(100).fill("1"));
  for (const one of pages) {
    await one.evaluate(async () => {
      stop.abort();
      await worker;
      await store.close();
    });
    assert.deepEqual(
      one.fetched.filter((url) => /\.wasm|\/dist\//.test(url)),
      [],
    );
  }
  await context.close();
});

test("waits take no more than their share of the connections: the rest goes on beside them", { skip }, async () => {
  const context = await browser.newContext();
  const one = await page(context);
  const found = await one.evaluate(async (url) => {
    const store = await tenure.connect(url);
    const watch = store.watch();
    const waits = Array.from({ length: 8 }, () => store.claim("many", { wait: Number.POSITIVE_INFINITY }));
    await store.addMany("many", ["a", "b", "c", "d", "e", "f", "g", "h"]);
    await watch.next();
    const tasks = await Promise.all(waits);
    await store.close();
    return tasks.map((task) => task.text()).sort();
  }, service.url);
  assert.deepEqual(found, ["a", "b", "c", "d", "e", "f", "g", "h"]);
  await context.close();
});

test("a page that goes away while its claim waits takes nothing with it", { skip }, async () => {
  const context = await browser.newContext();
  const one = await page(context);
  await one.evaluate(async (url) => {
    const store = await tenure.connect(url);
    store.claim("left", { wait: Number.POSITIVE_INFINITY });
  }, service.url);
  await asked(service.url, 1);
  await one.close();
  await asked(service.url, 0);
  const other = await page(context);
  const text = await other.evaluate(async (url) => {
    const store = await tenure.connect(url);
    await store.add("left", "x");
    return (await store.claim("left")).text();
  }, service.url);
  assert.equal(text, "x");
  await context.close();
});

test("a page of a site that is not let in is told what the service has to allow", { skip }, async () => {
  const context = await browser.newContext();
  // The same files under another name of this machine are another site.
  const one = await page(context, server.url.replace("localhost", "127.0.0.1"));
  const [name, message] = await one.evaluate(
    (url) => tenure.connect(url).catch((error) => [error.name, error.message]),
    service.url,
  );
  assert.equal(name, "Unavailable");
  assert.match(message, /--allow-origin http:\/\/127\.0\.0\.1:/);
  await context.close();
});
