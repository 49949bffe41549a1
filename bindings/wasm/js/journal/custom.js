// A journal that is an object of the user's, with methods that answer at once or with a promise.
import { call, TenureError, Timeout, Unavailable } from "../error.js";
import { keep } from "../module.js";
import { Asked } from "./asked.js";

/** Carries rows between the desk and such an object. */
export class CustomJournal {
  #object;
  #asked;
  #stop = () => {};

  constructor(object, { poll, journalTimeout }) {
    this.#asked = new Asked(object, journalTimeout);
    this.#object = object;
    // One that tells by itself when something was appended need not be asked.
    this.poll = typeof object.listen === "function" ? null : poll;
  }

  listen(listener) {
    const stop = this.#object.listen?.(listener);
    if (typeof stop === "function") this.#stop = stop;
    return () => this.#stop();
  }

  async close() {
    await this.#asked.close();
  }

  async load() {
    const snapshots = [];
    for (const name of await this.#asked.snapshots()) {
      const bytes = await this.#asked.readSnapshot(name);
      if (bytes !== null) snapshots.push([name, bytes]);
    }
    return { ...(await this.#fetch(1)), snapshots };
  }

  /** The rows from there on. One that lets go of some meanwhile is asked again. */
  async #fetch(from) {
    for (let looks = 0; looks < 4; looks += 1) {
      const identity = await this.#asked.identity();
      const [floor, mark] = await this.#asked.floor();
      const begin = Math.max(from, floor);
      const rows = await this.#asked.read(begin);
      if (rows !== null) return { identity, floor, mark, from: begin, rows };
    }
    throw new TypeError("the journal's read() answered null from its own floor on: it must answer the rows from there");
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
      return { kind: (await this.#asked.append(at, rows)) ? "done" : "conflict" };
    } catch (error) {
      // Only an exception that says so is sure that nothing is there.
      const late = error instanceof Timeout;
      const sure = error instanceof TenureError && !late && error.outcome !== "unknown";
      const told = late ? new Unavailable(error.message, { code: "unavailable", retry: "later" }) : error;
      return { kind: sure ? "refused" : "unknown", error: told };
    }
  }

  /** Publishes a snapshot, and lets go of what it makes superfluous. */
  async publish(name, bytes) {
    await this.#asked.publishSnapshot(name, bytes);
    const names = [];
    const snapshots = [];
    for (const found of await this.#asked.snapshots()) {
      const held = found === name ? bytes : await this.#asked.readSnapshot(found);
      // Another handle may have let go of it meanwhile.
      if (held === null) continue;
      names.push(found);
      snapshots.push(held);
    }
    const [superfluous, floor, mark] = call(() => keep(names, snapshots));
    for (const old of superfluous) await this.#asked.removeSnapshot(old);
    if (floor !== undefined) await this.#asked.truncate(floor, mark);
  }
}
