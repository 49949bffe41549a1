// A journal that is an object of the user's, with methods that answer at once or with a promise.

import { call, invalid, TenureError, Timeout, Unavailable } from "../error.js";
import { floorOf } from "../module.js";

const METHODS = [
  "identity",
  "floor",
  "read",
  "append",
  "truncate",
  "publishSnapshot",
  "snapshots",
  "readSnapshot",
  "removeSnapshot",
];

const isPosition = (value) => Number.isSafeInteger(value) && value >= 1;

function rubbish(method, wanted, found) {
  let shown;
  try {
    shown = typeof found === "object" ? (JSON.stringify(found) ?? String(found)) : String(found);
  } catch {
    shown = typeof found;
  }
  return new TypeError(`the journal's ${method}() answered ${shown.slice(0, 80)}: it must answer ${wanted}`);
}

/** Carries rows between the desk and such an object. */
export class CustomJournal {
  #object;
  #limit;
  #stop = () => {};

  constructor(object, { poll, journalTimeout }) {
    const missing = METHODS.filter((name) => typeof object?.[name] !== "function");
    if (missing.length > 0) {
      throw invalid(`open: give memory(), indexedDB(name) or a journal: this has no ${missing.join(", ")}`);
    }
    this.#object = object;
    this.#limit = journalTimeout;
    // One that tells by itself when something was appended need not be asked.
    this.poll = typeof object.listen === "function" ? null : poll;
  }

  listen(listener) {
    const stop = this.#object.listen?.(listener);
    if (typeof stop === "function") this.#stop = stop;
    return () => this.#stop();
  }

  async close() {
    if (typeof this.#object.close === "function") await this.#call("close");
  }

  /** Calls a method, and gives up on one that does not answer. */
  async #call(method, ...given) {
    const answer = this.#object[method](...given);
    if (typeof answer?.then !== "function") return answer;
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => {
        const message = `the journal's ${method}() did not answer within ${this.#limit} ms: see what it waits for, or raise journalTimeout`;
        reject(new Timeout(message, { code: "timeout", retry: "later" }));
      }, this.#limit);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #bytes(method, ...given) {
    const bytes = await this.#call(method, ...given);
    if (bytes === null || bytes === undefined) return undefined;
    if (!(bytes instanceof Uint8Array)) throw rubbish(method, "a Uint8Array", bytes);
    return bytes;
  }

  async #head() {
    const identity = await this.#bytes("identity");
    if (identity?.length !== 16)
      throw rubbish("identity", "the 16 bytes that were drawn when it was created", identity);
    const floor = await this.#call("floor");
    const [position, mark] = Array.isArray(floor) ? floor : [];
    if (!isPosition(position) || !(mark instanceof Uint8Array)) {
      throw rubbish("floor", "a pair of position and mark, as [1, new Uint8Array()]", floor);
    }
    return { identity, floor: position, mark };
  }

  async #rows(from) {
    const wanted = "pairs of position and row, one behind the other, or null below the floor";
    const pairs = await this.#call("read", from);
    if (pairs === null) return undefined;
    if (typeof pairs?.[Symbol.iterator] !== "function") throw rubbish("read", wanted, pairs);
    const rows = [];
    for (const pair of pairs) {
      const [position, row] = Array.isArray(pair) ? pair : [];
      if (position !== from + rows.length || !(row instanceof Uint8Array)) throw rubbish("read", wanted, pair);
      rows.push(row);
    }
    return rows;
  }

  async load() {
    const snapshots = [];
    for (const name of await this.#names()) {
      const bytes = await this.#bytes("readSnapshot", name);
      if (bytes !== undefined) snapshots.push([name, bytes]);
    }
    return { ...(await this.#fetch(1)), snapshots };
  }

  async #names() {
    const names = await this.#call("snapshots");
    const all = Array.isArray(names) ? names : undefined;
    if (!all?.every((name) => typeof name === "string")) {
      throw rubbish("snapshots", "the names that publishSnapshot() was given", names);
    }
    return all;
  }

  /** The rows from there on. One that lets go of some meanwhile is asked again. */
  async #fetch(from) {
    for (let looks = 0; looks < 4; looks += 1) {
      const head = await this.#head();
      const begin = Math.max(from, head.floor);
      const rows = await this.#rows(begin);
      if (rows !== undefined) return { ...head, from: begin, rows };
    }
    throw rubbish("read", "the rows from its floor on", null);
  }

  async turn(from, _write, take) {
    let error;
    try {
      const fetched = await this.#fetch(from);
      const { at, rows: out, reload } = take(fetched);
      if (reload) return { kind: "refused", all: await this.load() };
      if (out.length === 0) return { kind: "done" };
      return await this.#append(at, out);
    } catch (raised) {
      error = raised;
    }
    return { kind: "refused", error };
  }

  async #append(at, rows) {
    try {
      const appended = await this.#call("append", at, rows);
      if (appended === true) return { kind: "done" };
      if (appended === false) return { kind: "conflict" };
      throw rubbish("append", "true, or false for a conflict", appended);
    } catch (error) {
      // Only an exception that says so is sure that nothing is there.
      const sure = error instanceof TenureError && !(error instanceof Timeout) && error.outcome !== "unknown";
      const late = error instanceof Timeout;
      const told = late ? new Unavailable(error.message, { code: "unavailable", retry: "later" }) : error;
      return { kind: sure ? "refused" : "unknown", error: told };
    }
  }

  /** Publishes a snapshot, keeps the last two, and lets go of what lies before the older one. */
  async publish(name, bytes) {
    await this.#call("publishSnapshot", name, bytes);
    const names = (await this.#names()).sort().reverse();
    for (const old of names.slice(2)) await this.#call("removeSnapshot", old);
    if (names.length < 2) return;
    const older = await this.#bytes("readSnapshot", names[1]);
    if (older === undefined) return;
    const [floor, mark] = call(() => floorOf(older));
    await this.#call("truncate", floor, mark);
  }
}
