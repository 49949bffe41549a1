import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as tenure from "../js/node.js";
import { LEFT_OUT, optionsOf, runScript, SCRIPTS } from "./vectors.js";

const folder = new URL("../../../core/tests/vectors/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));

for (const name of SCRIPTS) {
  for (const script of read(name).scripts.filter((script) => script.name !== LEFT_OUT)) {
    test(`${name}: ${script.name}`, async () => {
      const clock = new tenure.FakeClock(1_000_000);
      const store = await tenure.open(tenure.memory(), optionsOf(script, clock));
      await runScript(script, store, clock, tenure, (found, expected, where) => {
        assert.deepEqual(found, expected, where);
      });
      await store.close();
    });
  }
}
