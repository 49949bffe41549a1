// An object of the user's as a journal: each of its methods is given a time, and its answer is looked at before it is believed.
import { invalid, Timeout } from "../error.js";

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

export class Asked {
  #object;
  #limit;

  /** `call` is who complains where this is no journal; `limit` is in milliseconds. */
  constructor(object, limit, call = "open") {
    const missing = METHODS.filter((name) => typeof object?.[name] !== "function");
    if (missing.length > 0) {
      throw invalid(`${call}: give memory(), indexedDB(name) or a journal: this has no ${missing.join(", ")}`);
    }
    this.#object = object;
    this.#limit = limit;
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

  async identity() {
    const identity = await this.#call("identity");
    if (!(identity instanceof Uint8Array) || identity.length !== 16) {
      throw rubbish("identity", "the 16 bytes that were drawn when it was created", identity);
    }
    return identity;
  }

  async floor() {
    const floor = await this.#call("floor");
    const [position, mark] = Array.isArray(floor) ? floor : [];
    if (!isPosition(position) || !(mark instanceof Uint8Array)) {
      throw rubbish("floor", "a pair of position and mark, as [1, new Uint8Array()]", floor);
    }
    return [position, mark];
  }

  /** The rows from a position on; `null` below the floor. */
  async read(from) {
    const wanted = "pairs of position and row, one behind the other, or null below the floor";
    const pairs = await this.#call("read", from);
    if (pairs === null) return null;
    if (typeof pairs?.[Symbol.iterator] !== "function") throw rubbish("read", wanted, pairs);
    const rows = [];
    for (const pair of pairs) {
      const [position, row] = Array.isArray(pair) ? pair : [];
      if (position !== from + rows.length || !(row instanceof Uint8Array)) throw rubbish("read", wanted, pair);
      rows.push(row);
    }
    return rows;
  }

  async append(at, rows) {
    const appended = await this.#call("append", at, rows);
    if (typeof appended !== "boolean") throw rubbish("append", "true, or false for a conflict", appended);
    return appended;
  }

  async truncate(floor, mark) {
    await this.#call("truncate", floor, mark);
  }

  async publishSnapshot(name, bytes) {
    await this.#call("publishSnapshot", name, bytes);
  }

  async snapshots() {
    const names = await this.#call("snapshots");
    if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) {
      throw rubbish("snapshots", "the names that publishSnapshot() was given", names);
    }
    return names;
  }

  /** A snapshot's bytes; `null` where there is none of this name. */
  async readSnapshot(name) {
    const bytes = (await this.#call("readSnapshot", name)) ?? null;
    if (bytes !== null && !(bytes instanceof Uint8Array)) throw rubbish("readSnapshot", "a Uint8Array, or null", bytes);
    return bytes;
  }

  async removeSnapshot(name) {
    await this.#call("removeSnapshot", name);
  }

  async close() {
    if (typeof this.#object.close === "function") await this.#call("close");
  }
}
