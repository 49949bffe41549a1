// The conformance suite over journals in JavaScript: it passes good ones, and finds out each kind of bad one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkJournal, MemoryJournal } from "../js/testing-node.js";

const broken = (findings) => findings.filter((finding) => finding.broken);

/** The same journal, each of whose methods answers with a promise, and a while later. */
class Promised {
  constructor(inner = new MemoryJournal()) {
    for (const name of Object.getOwnPropertyNames(MemoryJournal.prototype)) {
      if (name === "constructor" || name === "listen") continue;
      this[name] = async (...given) => {
        await new Promise((resolve) => setImmediate(resolve));
        return inner[name](...given);
      };
    }
  }
}

test("the journal in memory keeps every contract, and so does one that answers with promises", async () => {
  for (const make of [() => new MemoryJournal(), async () => new Promised()]) {
    const findings = await checkJournal(make);
    assert.deepEqual(broken(findings), []);
    const contracts = new Set(findings.map((finding) => finding.contract));
    assert.deepEqual([...contracts].sort(), ["J1", "J10", "J2", "J3", "J4", "J5", "J6", "J7", "J8", "J9"]);
    assert.ok(findings.length > 40, `${findings.length} checks`);
  }
});

test("a store that is made anew in the place of another is noticed", async () => {
  /** A place whose store can be removed under whoever has it open. */
  class Place extends MemoryJournal {
    now = new MemoryJournal();
  }
  for (const name of Object.getOwnPropertyNames(MemoryJournal.prototype)) {
    if (name === "constructor" || name === "listen") continue;
    Place.prototype[name] = function (...given) {
      return this.now[name](...given);
    };
  }
  const remake = (place) => {
    place.now = new MemoryJournal();
    return place;
  };
  const findings = await checkJournal(() => new Place(), { remake });
  assert.deepEqual(broken(findings), []);
  const skipped = findings.filter((finding) => finding.skipped && finding.contract === "J9");
  assert.deepEqual(skipped, []);
});

/** For each contract, journals that break it: each does one thing wrong. */
const FAULTY = {
  J1: [
    class AppendsAnywhere extends MemoryJournal {
      append(at, rows) {
        super.append(at, rows);
        return true;
      }
    },
    class TakesAnyPlaceThatIsFarEnough extends MemoryJournal {
      append(at, rows) {
        return at > 2 ** 30 || super.append(at, rows);
      }
    },
  ],
  J2: [
    class AppendsTheFirstAlone extends MemoryJournal {
      append(at, rows) {
        return super.append(at, rows.slice(0, 1));
      }
    },
    class AppendsBeforeItLooks extends MemoryJournal {
      async append(at, rows) {
        const before = await this.read(at);
        await undefined;
        if (before === null || before.length > 0) return false;
        for (const [index, row] of rows.entries()) super.append(at + index, [row]);
        return true;
      }
    },
  ],
  J3: [
    class StaysInConflict extends MemoryJournal {
      #conflict = false;
      append(at, rows) {
        this.#conflict ||= !super.append(at, rows);
        return !this.#conflict;
      }
    },
  ],
  J4: [
    class ReadsBackwards extends MemoryJournal {
      read(from) {
        const rows = super.read(from);
        return rows?.map(([position], index) => [position, rows[rows.length - 1 - index][1]]) ?? null;
      }
    },
    class HasNothingBelowTheFloor extends MemoryJournal {
      read(from) {
        return super.read(from) ?? [];
      }
    },
    class KeepsTheArray extends MemoryJournal {
      append(at, rows) {
        for (const row of rows) row.slice = () => row;
        return super.append(at, rows);
      }
    },
  ],
  J5: [
    class ForgetsHowToAppend extends MemoryJournal {
      #appends = 0;
      append(at, rows) {
        this.#appends += 1;
        return this.#appends % 2 === 1 && super.append(at, rows);
      }
    },
  ],
  J6: [
    class LosesTheLastRow extends MemoryJournal {
      read(from) {
        return super.read(from)?.slice(0, -1) ?? null;
      }
    },
  ],
  J7: [
    class CutsSnapshots extends MemoryJournal {
      publishSnapshot(name, bytes) {
        super.publishSnapshot(name, bytes.slice(0, -1));
      }
    },
    class KeepsRemovedSnapshots extends MemoryJournal {
      removeSnapshot() {}
    },
  ],
  J8: [
    class LosesTheMark extends MemoryJournal {
      truncate(floor) {
        super.truncate(floor, new Uint8Array());
      }
    },
    class LowersTheFloor extends MemoryJournal {
      #floor = 1;
      truncate(floor, mark) {
        super.truncate(floor, mark);
        this.#floor = floor;
      }
      floor() {
        return [this.#floor, super.floor()[1]];
      }
    },
  ],
  J9: [
    class IsAlwaysTheSame extends MemoryJournal {
      identity() {
        return new Uint8Array(16).fill(1);
      }
    },
    class IsNobody extends MemoryJournal {
      identity() {
        return new Uint8Array(16);
      }
    },
    class IsAnotherEachTime extends MemoryJournal {
      identity() {
        return crypto.getRandomValues(new Uint8Array(16));
      }
    },
  ],
  J10: [
    class ThrowsWhereNothingIs extends MemoryJournal {
      read(from) {
        const rows = super.read(from);
        if (rows?.length === 0) throw new RangeError("there is nothing");
        return rows;
      }
    },
  ],
};

test("a journal that never answers is given up, and found out", async () => {
  class NeverAnswers extends MemoryJournal {
    append() {
      return new Promise(() => {});
    }
  }
  const found = broken(await checkJournal(() => new NeverAnswers(), { journalTimeout: 5 }));
  assert.ok(found.length > 10, `${found.length} findings`);
  assert.match(found[0].broken, /did not answer within 5 ms/);
});

for (const [contract, journals] of Object.entries(FAULTY)) {
  for (const Faulty of journals) {
    test(`a journal that breaks ${contract} is found out: ${Faulty.name}`, async () => {
      const found = broken(await checkJournal(() => new Faulty(), { journalTimeout: 50 }));
      const contracts = [...new Set(found.map((finding) => finding.contract))];
      assert.ok(contracts.includes(contract), `found out for ${contracts.join(", ") || "nothing"}`);
    });
  }
}
