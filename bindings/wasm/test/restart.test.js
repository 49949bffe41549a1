// A service that is killed and started again, and one that asks for tokens.
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as tenure from "../js/client.js";
import { lacks, Service } from "./service.js";

const { connect } = tenure;
const skip = lacks();

test("a service is killed and started again: every task is done once, and a watch misses nothing", {
  skip,
}, async () => {
  const service = await Service.start();
  const store = await connect(service.url);
  const seen = [];
  const watch = store.watch();
  const watching = (async () => {
    for await (const event of watch) seen.push(event.revision);
  })();
  const stop = new AbortController();
  const workers = Array.from({ length: 4 }, async () => {
    for await (const held of store.claims("work", { lease: 3_000, signal: stop.signal })) {
      await store
        .transact((tx) => {
          tx.finish(held);
          tx.increment("done", held.text());
        })
        .catch((error) => assert.equal(error.code, "lease_lost"));
    }
  });
  for (let n = 0; n < 60; n += 1) {
    await store.add("work", String(n));
    if (n % 20 === 10) {
      await service.end("SIGKILL");
      await service.run();
    }
  }
  assert.equal(await store.waitEmpty("work", { timeout: 60_000 }), true);
  stop.abort();
  await Promise.all(workers);
  const done = await store.scan("done");
  assert.deepEqual(
    done.map((record) => record.text()),
    Array.from({ length: 60 }, () => "1"),
  );
  const { revision } = await store.stats();
  while (seen.at(-1) < revision) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.deepEqual(
    seen,
    Array.from({ length: revision - seen[0] + 1 }, (_, n) => seen[0] + n),
    "events were lost or told twice",
  );
  watch.close();
  await watching;
  await store.close();
  await service.stop();
});

test("a token is sent with each request, and what it does not allow is told", { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "tenure-tokens-"));
  const tokens = join(folder, "tokens.json");
  const grants = [{ scope: "read" }, { scope: "write", groups: ["in/"] }];
  await writeFile(tokens, JSON.stringify({ tokens: [{ name: "page", secret: "sixteen letters at least", grants }] }));
  await chmod(tokens, 0o600);
  const service = await Service.start("--tokens", tokens);
  try {
    for (const token of ["sixteen letters at least", async () => "sixteen letters at least"]) {
      const store = await connect(service.url, { token });
      assert.equal((await store.add("in/mail", "x")).group, "in/mail");
      const error = await store.add("out", "x").catch((error) => error);
      assert.ok(error instanceof tenure.Invalid, error.stack);
      assert.equal(error.code, "forbidden");
      assert.match(error.message, /page/);
      await store.close();
    }
    const error = await connect(service.url, { token: "another one, which is wrong" }).catch((error) => error);
    assert.ok(error instanceof tenure.Invalid, error.stack);
    await assert.rejects(connect(service.url, { token: "two\nlines" }), tenure.Invalid);
  } finally {
    await service.stop();
    await rm(folder, { recursive: true });
  }
});
