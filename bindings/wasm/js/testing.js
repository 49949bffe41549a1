// Checks of a journal of one's own: the suite of the core, which every journal has to pass, and what only JavaScript can get wrong.
export { FakeClock } from "./clock.js";
export { memory } from "./index.js";
export { MemoryJournal } from "./journal/memory.js";

import { invalid } from "./error.js";
import { Asked } from "./journal/asked.js";
import { loadConformance } from "./module.js";
import { optionsOf, whole } from "./request.js";

/** What a check is told that has to wait for an answer: whatever it makes of it is not looked at. */
const LATER = "it is not known yet";

/**
 * A check of the core's suite, which can't wait for promises: it runs with the answers that the journal has given so far.
 * Where one more comes as a promise it ends there, and runs anew once that is kept. The journal is asked each thing once.
 */
class Replay {
  #make;
  #remake;
  #limit;
  #journals = [];
  #answers = [];

  constructor(make, remake, limit) {
    this.#make = make;
    this.#remake = remake;
    this.#limit = limit;
  }

  async run(check, number) {
    for (;;) {
      let at = 0;
      let coming;
      const ask = (...asked) => {
        if (coming !== undefined) throw LATER;
        if (at === this.#answers.length) {
          const answer = this.#answer(...asked);
          if (answer instanceof Promise) {
            coming = answer;
            throw LATER;
          }
          this.#answers.push(answer);
        }
        const { error, value } = this.#answers[at];
        at += 1;
        if (error !== undefined) throw error;
        return value;
      };
      const found = check(number, this.#remake !== undefined, ask);
      if (coming === undefined) return found;
      this.#answers.push(await coming);
    }
  }

  /** What comes of a call: at once, or as a promise. */
  #answer(...asked) {
    const failed = (error) => ({ error: `${error?.name ?? "Error"}: ${error?.message ?? error}` });
    try {
      const value = this.#ask(...asked);
      if (typeof value?.then !== "function") return { value };
      return Promise.resolve(value).then((value) => ({ value }), failed);
    } catch (error) {
      return failed(error);
    }
  }

  #ask(method, number, ...given) {
    if (method !== "make" && method !== "remake") return this.#journals[number].asked[method](...given);
    const made = method === "make" ? this.#make() : this.#remake(this.#journals.at(-1)?.object);
    return typeof made?.then === "function" ? made.then((object) => this.#keep(object)) : this.#keep(made);
  }

  #keep(object) {
    this.#journals.push({ object, asked: new Asked(object, this.#limit, "checkJournal") });
    return this.#journals.length - 1;
  }
}

const row = (...bytes) => new Uint8Array(bytes);

/** What the suite can't see: it is one thread that is given copies, and asks for nothing that can't be there. */
const OWN = [
  [
    "J1",
    "an append far beyond the end is a conflict, and adds nothing",
    async (journal) => {
      for (const at of [2, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
        if (await journal.append(at, [row(1)])) return `an append at ${at} of an empty journal was done`;
      }
      const found = await journal.read(1);
      return found.length === 0 ? undefined : `${found.length} rows are there`;
    },
  ],
  [
    "J4",
    "a read below the floor answers null",
    async (journal) => {
      await journal.append(1, [row(1), row(2), row(3)]);
      await journal.truncate(3, row(7));
      const found = await journal.read(1);
      return found === null ? undefined : `it answered ${found.length} rows`;
    },
  ],
  [
    "J8",
    "letting go below the floor leaves the floor and its mark",
    async (journal) => {
      await journal.append(1, [row(1), row(2), row(3)]);
      await journal.truncate(3, row(7));
      await journal.truncate(2, row(8));
      const [floor, mark] = await journal.floor();
      return floor === 3 && mark.join() === "7" ? undefined : `the floor is ${floor}, its mark ${mark.join()}`;
    },
  ],
  [
    "J2",
    "of appends at one place that are begun at once, one is done, whole",
    async (journal) => {
      const done = await Promise.all([1, 2, 3, 4].map((n) => journal.append(1, [row(n), row(n)])));
      if (done.filter(Boolean).length !== 1) return `${done.filter(Boolean).length} of 4 were done`;
      const n = done.indexOf(true) + 1;
      const found = (await journal.read(1)).map((bytes) => bytes.join());
      return found.join(" ") === `${n} ${n}` ? undefined : `the rows ${found.join(" ")} stand there`;
    },
  ],
  [
    "J4",
    "a row that was appended does not change with the array that it came in",
    async (journal) => {
      const bytes = row(1, 2, 3);
      await journal.append(1, [bytes]);
      bytes.fill(9);
      const found = (await journal.read(1)).map((bytes) => bytes.join());
      return found.join() === "1,2,3" ? undefined : `the row became ${found.join()}`;
    },
  ],
  [
    "J9",
    "the identity of a new journal is drawn, and stays",
    async (journal) => {
      const identity = await journal.identity();
      if (identity.every((byte) => byte === 0)) return "it is all zeros";
      await journal.append(1, [row(1)]);
      return (await journal.identity()).join() === identity.join() ? undefined : "it changed with an append";
    },
  ],
];

/**
 * Holds journals that `make` makes, each new and empty, against what a store relies on. With `remake`, which removes the
 * store behind a journal and answers with a new journal in its place, it also sees whether that is noticed.
 */
export async function checkJournal(make, options) {
  const { remake, journalTimeout = 10_000 } = optionsOf(options, ["remake", "journalTimeout"], "checkJournal");
  if (typeof make !== "function") throw invalid("checkJournal: give a function that makes a journal");
  const limit = whole(journalTimeout, "journalTimeout", 1);
  const { check } = await loadConformance();
  const findings = [];
  for (let number = 0; ; number += 1) {
    const found = await new Replay(make, remake, limit).run(check, number);
    if (found === undefined) break;
    const [contract, statement, verdict, why] = found;
    const finding = { contract, statement };
    if (verdict !== "kept") finding[verdict] = why;
    findings.push(finding);
  }
  for (const [contract, statement, look] of OWN) {
    const finding = { contract, statement };
    try {
      const broken = await look(new Asked(await make(), limit, "checkJournal"));
      if (broken !== undefined) finding.broken = broken;
    } catch (error) {
      finding.broken = String(error?.message ?? error);
    }
    findings.push(finding);
  }
  return findings;
}
