// Checks of a journal of one's own.
export { FakeClock } from "./clock.js";
export { memory } from "./index.js";
export { MemoryJournal } from "./journal/memory.js";

const row = (...bytes) => new Uint8Array(bytes);
const same = (one, other) => JSON.stringify([...one]) === JSON.stringify([...other]);

async function rowsOf(journal, from) {
  const pairs = await journal.read(from);
  return pairs === null ? null : [...pairs].map(([position, bytes]) => [position, [...bytes]]);
}

function expect(found, expected, what) {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what}: ${one} instead of ${other}`);
}

const CHECKS = [
  [
    "R1",
    "rows are added behind the last one, and come back in order",
    async (journal) => {
      expect(await journal.append(1, [row(1), row(2, 2)]), true, "append at 1");
      expect(await journal.append(3, [row(3)]), true, "append at 3");
      expect(
        await rowsOf(journal, 1),
        [
          [1, [1]],
          [2, [2, 2]],
          [3, [3]],
        ],
        "read from 1",
      );
      expect(await rowsOf(journal, 3), [[3, [3]]], "read from 3");
      expect(await rowsOf(journal, 4), [], "read behind the end");
    },
  ],
  [
    "R1",
    "an append that is not exactly behind the last row is a conflict, and adds nothing",
    async (journal) => {
      expect(await journal.append(1, [row(1)]), true, "append at 1");
      expect(await journal.append(1, [row(9)]), false, "append where a row stands");
      expect(await journal.append(3, [row(9)]), false, "append beyond the end");
      expect(await rowsOf(journal, 1), [[1, [1]]], "read from 1");
    },
  ],
  [
    "R1",
    "of appends at one place that are begun at once, one is done, whole",
    async (journal) => {
      const begun = [1, 2, 3, 4].map((n) => journal.append(1, [row(n), row(n)]));
      const done = await Promise.all(begun);
      expect(done.filter(Boolean).length, 1, "appends that were done");
      const n = done.indexOf(true) + 1;
      expect(
        await rowsOf(journal, 1),
        [
          [1, [n]],
          [2, [n]],
        ],
        "read from 1",
      );
    },
  ],
  [
    "R1",
    "a row that was appended does not change with the array that it came in",
    async (journal) => {
      const bytes = row(1, 2, 3);
      await journal.append(1, [bytes]);
      bytes.fill(9);
      expect(await rowsOf(journal, 1), [[1, [1, 2, 3]]], "read from 1");
    },
  ],
  [
    "R3",
    "the identity is 16 bytes that stay, and are not all zero",
    async (journal) => {
      const identity = await journal.identity();
      expect(identity.length, 16, "length of the identity");
      if (identity.every((byte) => byte === 0)) throw new Error("it is all zeros: draw it at random");
      await journal.append(1, [row(1)]);
      if (!same(identity, await journal.identity())) throw new Error("it changed with an append");
    },
  ],
  [
    "R3",
    "two new journals have two identities",
    async (journal, make) => {
      if (same(await journal.identity(), await (await make()).identity())) throw new Error("they have the same");
    },
  ],
  [
    "R4",
    "the floor of a new journal is 1, with an empty mark",
    async (journal) => {
      const [floor, mark] = await journal.floor();
      expect([floor, [...mark]], [1, []], "floor");
    },
  ],
  [
    "R4",
    "rows before the floor are gone, and the mark is kept",
    async (journal) => {
      await journal.append(1, [row(1), row(2), row(3)]);
      await journal.truncate(3, row(7));
      const [floor, mark] = await journal.floor();
      expect([floor, [...mark]], [3, [7]], "floor");
      expect(await rowsOf(journal, 2), null, "read below the floor");
      expect(await rowsOf(journal, 3), [[3, [3]]], "read at the floor");
      await journal.truncate(2, row(8));
      expect((await journal.floor())[0], 3, "floor after a lower one was asked for");
    },
  ],
  [
    "R1",
    "a journal whose rows are all gone goes on at its floor",
    async (journal) => {
      await journal.append(1, [row(1), row(2)]);
      await journal.truncate(3, row(7));
      expect(await rowsOf(journal, 3), [], "read at the floor");
      expect(await journal.append(2, [row(9)]), false, "append below the floor");
      expect(await journal.append(3, [row(3)]), true, "append at the floor");
    },
  ],
  [
    "J7",
    "snapshots are listed, read and removed by their names",
    async (journal) => {
      expect(await journal.readSnapshot("none"), null, "a snapshot that is not there");
      await journal.publishSnapshot("00000000000000000002-a", row(2));
      await journal.publishSnapshot("00000000000000000001-b", row(1));
      expect([...(await journal.snapshots())].sort(), ["00000000000000000001-b", "00000000000000000002-a"], "names");
      expect([...(await journal.readSnapshot("00000000000000000002-a"))], [2], "bytes");
      await journal.removeSnapshot("00000000000000000002-a");
      await journal.removeSnapshot("00000000000000000002-a");
      expect([...(await journal.snapshots())], ["00000000000000000001-b"], "names after one was removed");
    },
  ],
];

/** Holds journals that `make` makes, each new and empty, against what a store relies on. */
export async function checkJournal(make) {
  const findings = [];
  for (const [contract, statement, check] of CHECKS) {
    const finding = { contract, statement };
    try {
      await check(await make(), make);
    } catch (error) {
      finding.broken = String(error?.message ?? error);
    }
    findings.push(finding);
  }
  return findings;
}
