// The client of a service, against services that run: the same suites as an embedded store, and what a line can do.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createTcpServer, connect as dial } from "node:net";
import { after, before, test } from "node:test";
import * as tenure from "../js/client.js";
import { asked, lacks, Service, soon, standing } from "./service.js";
import { suite } from "./suite.js";
import { LEFT_OUT, optionsOf, runScript, SCRIPTS } from "./vectors.js";

const { connect } = tenure;
const skip = lacks();

const vectors = new URL("../../../core/tests/vectors/", import.meta.url);

for (const name of SCRIPTS) {
  const { scripts } = JSON.parse(readFileSync(new URL(`${name}.json`, vectors), "utf8"));
  for (const script of scripts.filter((script) => script.name !== LEFT_OUT)) {
    test(`served, ${name}: ${script.name}`, { skip }, async () => {
      const service = await standing({ limits: script.limits });
      const { owner, actor } = optionsOf(script, service.clock);
      // Request ids, with which all else is sent, would be entries where the scripts expect none.
      const store = await connect(service.url, { owner, actor, clock: service.clock, patience: 0 });
      await runScript(script, store, service.clock, tenure, (found, expected, where) => {
        assert.deepEqual(found, expected, where);
      });
      await store.close();
      await service.stop();
    });
  }
}

suite(
  tenure,
  async () => {
    const { url, clock, stop } = await standing();
    return {
      clock,
      open: (options) => connect(url, { clock, ...options }),
      asked: (count) => asked(url, count),
      soon,
      stop,
    };
  },
  skip,
);

/** Cuts connections: what the service answers while `cuts` is above 0 never comes through; first comes `meanwhile`. */
async function scissors(url) {
  const { hostname, port } = new URL(url);
  const proxy = { cuts: 0, made: 0, meanwhile: async () => {} };
  const server = createTcpServer((near) => {
    const far = dial(Number(port), hostname);
    near.on("error", () => {});
    far.on("error", () => near.destroy());
    near.pipe(far);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
    far.on("data", (bytes) => {
      if (proxy.cuts > 0) {
        proxy.cuts -= 1;
        proxy.made += 1;
        proxy.meanwhile().then(() => near.destroy());
      } else {
        near.write(bytes);
      }
    });
  });
  await new Promise((resolve) => server.listen(Number(0), "127.0.0.1", resolve));
  proxy.url = `http://127.0.0.1:${server.address().port}`;
  proxy.stop = () => server.close();
  return proxy;
}

let service;

before(async () => {
  if (!skip) service = await Service.start("--opportunistic");
});
after(() => service?.stop());

test("nothing of the client loads the module", async () => {
  const seen = new Set();
  const visit = (url) => {
    if (seen.has(url.href)) return;
    seen.add(url.href);
    const text = readFileSync(url, "utf8");
    for (const [, name] of text.matchAll(/from "(\.[^"]+)"|import\("(\.[^"]+)"\)/g)) visit(new URL(name, url));
  };
  visit(new URL("../js/client.js", import.meta.url));
  assert.ok(seen.size > 10);
  assert.deepEqual(
    [...seen].filter((href) => /\/dist\/|module\.js|\.wasm/.test(href)),
    [],
  );
});

test("whoever connects to nothing is told so at once, and with what to do", { skip }, async () => {
  const nobody = connect("http://127.0.0.1:1");
  await assert.rejects(nobody, (error) => error instanceof tenure.Unavailable && /tenure serve/.test(error.message));
  for (const url of [
    "ftp://x.example",
    "not a url",
    "http://user:word@x.example",
    "http://x.example/?q=1",
    7,
    undefined,
  ]) {
    await assert.rejects(connect(url), tenure.Invalid);
  }
  await assert.rejects(connect(service.url, { tokn: "x" }), tenure.Invalid);
  await assert.rejects(connect(service.url, { signal: AbortSignal.abort(new Error("not now")) }), /not now/);
});

test("every answer of update and claim may be cut off: nothing is done twice, and nothing is held by nobody", {
  skip,
}, async () => {
  const proxy = await scissors(service.url);
  const store = await connect(proxy.url);
  for (let n = 0; n < 24; n += 1) {
    proxy.cuts = n % 4;
    const task = await store.add("cut", String(n));
    assert.equal(task.text(), String(n));
    proxy.cuts = (n + 1) % 4;
    const claimed = await store.claim("cut", { wait: n % 2 === 0 ? 0 : 10_000 });
    assert.equal(claimed.text(), String(n));
    proxy.cuts = (n + 2) % 4;
    await store.transact((tx) => {
      tx.finish(claimed);
      tx.increment("cut", "done");
    });
  }
  assert.ok(proxy.made >= 24, `${proxy.made} cuts`);
  assert.equal((await store.get("cut", "done")).text(), "24");
  assert.equal((await store.group("cut")).tasks, 0);
  await store.close();
  proxy.stop();
});

test("of a claim whose answer comes after its lease ran out, what others have claimed since is left out", {
  skip,
}, async () => {
  const proxy = await scissors(service.url);
  const [store, other] = [await connect(proxy.url), await connect(service.url)];
  await store.addMany("late", ["one", "two"]);
  proxy.cuts = 1;
  let taken;
  proxy.meanwhile = async () => {
    taken = await other.claim("late", { wait: 30_000 });
  };
  const tasks = await store.claimMany("late", { limit: 2, lease: 1 });
  assert.deepEqual([proxy.made, ...tasks.map((task) => task.text()), taken.text()].sort(), [1, "one", "two"]);
  await store.finish(tasks[0]);
  await store.close();
  await other.close();
  proxy.stop();
});

test("where there is no answer for longer than the patience, a change is Unknown and a look Unavailable", {
  skip,
}, async () => {
  const proxy = await scissors(service.url);
  const store = await connect(proxy.url, { patience: 200 });
  proxy.cuts = Number.POSITIVE_INFINITY;
  await assert.rejects(store.add("g", "x"), (error) => {
    assert.ok(error instanceof tenure.Unknown, error.stack);
    return error.outcome === "unknown" && error.retry === "with_same_request_id";
  });
  await assert.rejects(store.groups(), tenure.Unavailable);
  await store.close();
  proxy.stop();
});

test("a cancelled wait closes its connection and holds nothing", { skip }, async () => {
  const store = await connect(service.url);
  const abort = new AbortController();
  const waiting = store.claim("nothing", { wait: Number.POSITIVE_INFINITY, signal: abort.signal });
  await asked(service.url, 1);
  abort.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await asked(service.url, 0);
  await store.close();
});

test("more waits than turns: each gets its task, and the rest goes on meanwhile", { skip }, async () => {
  const store = await connect(service.url, { polls: 2 });
  const waiting = Array.from({ length: 7 }, () => store.claim("turns", { wait: Number.POSITIVE_INFINITY }));
  await asked(service.url, 2);
  await store.addMany(
    "turns",
    Array.from({ length: 7 }, (_, n) => String(n)),
  );
  const found = (await Promise.all(waiting)).map((task) => task.text()).sort();
  assert.deepEqual(found, ["0", "1", "2", "3", "4", "5", "6"]);
  await store.close();
});

test("a lease is renewed by the machine's clock, and a claims loop ends with its signal", { skip }, async () => {
  const store = await connect(service.url);
  const other = await connect(service.url);
  await store.add("long", "x");
  const stop = new AbortController();
  for await (const held of store.claims("long", { lease: 1_500, signal: stop.signal })) {
    assert.equal(await other.claim("long", { wait: 4_000 }), null, "the lease was not renewed");
    await held.note("half");
    assert.equal((await other.find(held.task.origin)).error, "half");
    await held.finish();
    stop.abort();
  }
  assert.equal(await store.waitEmpty("long", { timeout: 5_000 }), true);
  await store.close();
  await other.close();
});

test("a repeat that comes when its request id is forgotten commits nothing", { skip }, async () => {
  const { url, clock, stop } = await standing({ limits: { request_window: 8 } });
  const busy = await connect(url, { clock });
  const proxy = await scissors(url);
  const store = await connect(proxy.url, { clock });
  for (const [more, lost] of [
    [3, false],
    [12, true],
  ]) {
    const { tasks } = await busy.group("g");
    proxy.cuts = 1;
    proxy.meanwhile = async () => {
      proxy.meanwhile = async () => {};
      for (let n = 0; n < more; n += 1) await busy.increment("t", "n");
    };
    const added = store.add("g", "x");
    if (lost) await assert.rejects(added, tenure.Unknown);
    else await added;
    assert.equal((await busy.group("g")).tasks, tasks + 1, "it was done once");
    // The next one is no repeat.
    await store.increment("t", "own");
  }
  await store.close();
  await busy.close();
  proxy.stop();
  await stop();
});

test("another store at the same address is refused, and what is no service is told apart", { skip }, async () => {
  const moved = await Service.start();
  const store = await connect(moved.url);
  await store.add("g", "x");
  await moved.end();
  await rm(moved.path, { recursive: true });
  await moved.run();
  await assert.rejects(store.add("g", "y"), (error) => {
    assert.ok(error instanceof tenure.Fenced, error.stack);
    return error.code === "replaced";
  });
  await assert.rejects(store.groups(), { code: "replaced" });
  await store.close();
  const anew = await connect(moved.url);
  assert.deepEqual(await anew.groups(), []);
  await anew.close();
  await moved.stop();
  const other = createServer((_, response) => response.end('{"hello":"world"}'));
  await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
  await assert.rejects(connect(`http://127.0.0.1:${other.address().port}`), /no service of Tenure/);
  other.close();
});

test("lists longer than a page are whole", { skip }, async () => {
  const store = await connect(service.url);
  await store.addMany(
    "many",
    Array.from({ length: 10_050 }, (_, n) => String(n)),
  );
  assert.equal((await store.tasks({ group: "many", limit: 20_000 })).length, 10_050);
  assert.equal((await store.tasks({ group: "many", limit: 10_001 })).length, 10_001);
  assert.equal((await store.tasks({ group: "many", limit: 3 })).length, 3);
  await store.close();
});

test("names that no path can have are told apart from those that it can", { skip }, async () => {
  const store = await connect(service.url);
  for (const name of ["a/b", "ü ß", "%2e", "...", "?x=1#y", "\u0001"]) {
    await store.put("names", name, name);
    assert.equal((await store.get("names", name)).text(), name);
    await store.add("names", name, { key: name });
    assert.equal((await store.byKey("names", name)).text(), name);
  }
  await store.put("names", "..", "x");
  await assert.rejects(store.get("names", ".."), tenure.Invalid);
  assert.equal((await store.scan("names", { prefix: "..", limit: 1 }))[0].text(), "x");
  await store.close();
});
