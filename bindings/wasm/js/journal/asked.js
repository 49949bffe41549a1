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

  /** Calls a method and looks at its answer: at once, or once its promise is kept. One that never is, is given up. */
  #call(method, given, look) {
    const answer = this.#object[method](...given);
    return typeof answer?.then === "function" ? this.#wait(method, answer).then(look) : look(answer);
  }

  async #wait(method, answer) {
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

  identity() {
    return this.#call("identity", [], (identity) => {
      if (identity instanceof Uint8Array && identity.length === 16) return identity;
      throw rubbish("identity", "the 16 bytes that were drawn when it was created", identity);
    });
  }

  floor() {
    return this.#call("floor", [], (floor) => {
      const [position, mark] = Array.isArray(floor) ? floor : [];
      if (isPosition(position) && mark instanceof Uint8Array) return [position, mark];
      throw rubbish("floor", "a pair of position and mark, as [1, new Uint8Array()]", floor);
    });
  }

  /** The rows from a position on; `null` below the floor. */
  read(from) {
    const wanted = "pairs of position and row, one behind the other, or null below the floor";
    return this.#call("read", [from], (pairs) => {
      if (pairs === null) return null;
      if (typeof pairs?.[Symbol.iterator] !== "function") throw rubbish("read", wanted, pairs);
      const rows = [];
      for (const pair of pairs) {
        const [position, row] = Array.isArray(pair) ? pair : [];
        if (position !== from + rows.length || !(row instanceof Uint8Array)) throw rubbish("read", wanted, pair);
        rows.push(row);
      }
      return rows;
    });
  }

  append(at, rows) {
    return this.#call("append", [at, rows], (appended) => {
      if (typeof appended === "boolean") return appended;
      throw rubbish("append", "true, or false for a conflict", appended);
    });
  }

  truncate(floor, mark) {
    return this.#call("truncate", [floor, mark], () => null);
  }

  publishSnapshot(name, bytes) {
    return this.#call("publishSnapshot", [name, bytes], () => null);
  }

  snapshots() {
    return this.#call("snapshots", [], (names) => {
      if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
      throw rubbish("snapshots", "the names that publishSnapshot() was given", names);
    });
  }

  /** A snapshot's bytes; `null` where there is none of this name. */
  readSnapshot(name) {
    return this.#call("readSnapshot", [name], (bytes) => {
      if (bytes === null || bytes === undefined) return null;
      if (bytes instanceof Uint8Array) return bytes;
      throw rubbish("readSnapshot", "a Uint8Array, or null", bytes);
    });
  }

  removeSnapshot(name) {
    return this.#call("removeSnapshot", [name], () => null);
  }

  async close() {
    if (typeof this.#object.close === "function") await this.#call("close", [], () => null);
  }
}
