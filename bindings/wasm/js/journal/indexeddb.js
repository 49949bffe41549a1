// A journal in IndexedDB, shared by every tab and worker of an origin.
//
// A turn is one transaction: the rows that other tabs appended are read, the desk judges, its rows are added, all in
// callbacks of the transaction's own requests. So no other tab can come between, and nobody has to lead.
//
// What a turn appends is one object, `{ first, rows }`, under the position of its last row: each request costs more than a
// hundred rows do.

import { call, invalid } from "../error.js";
import { keep } from "../module.js";
import { connect, fault, KEY, NOBODY } from "./database.js";

/** Turns that one request fetches. */
const PAGE = 256;
/** How often in a row a transaction that the browser aborted is tried again. */
const ABORTS = 3;

/** The rows from a position on, of turns of which the first may begin before it. */
function unpack(turns, from) {
  const rows = [];
  for (const turn of turns) {
    const before = Math.max(0, from - turn.first);
    for (let at = before; at < turn.rows.length; at += 1) rows.push(turn.rows[at]);
  }
  return rows;
}

function settle(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class IndexedDbJournal {
  #name;
  #database;
  #channel;
  #listeners = new Set();
  #closed = false;
  #aborts = 0;
  /** Ends the turn that is under way, whose transaction the browser has forgotten. */
  #forgotten = () => {};

  constructor(name, { poll, broadcast }) {
    this.#name = name;
    this.poll = poll;
    if (broadcast && typeof BroadcastChannel === "function") {
      this.#channel = new BroadcastChannel(`tenure:${name}`);
      this.#channel.onmessage = () => this.#hear();
      // In Node a channel would keep the process alive.
      this.#channel.unref?.();
    }
  }

  static async open(name, options) {
    const journal = new IndexedDbJournal(name, options);
    try {
      await journal.#connect(true);
      return journal;
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  async #connect(create) {
    if (this.#database) return this.#database;
    const database = await connect(this.#name, create);
    if (this.#closed) {
      database.close();
      throw fault({ name: "InvalidStateError", message: "the store was closed" }, "can't read");
    }
    const gone = () => {
      if (this.#database === database) this.#database = undefined;
      database.close();
      // What became of the store is found by looking.
      this.#hear();
    };
    database.onclose = () => {
      gone();
      // What it aborted has said so by then.
      setTimeout(() => this.#forgotten(), 0);
    };
    database.onversionchange = gone;
    this.#database = database;
    return database;
  }

  #hear() {
    for (const listener of this.#listeners) listener();
  }

  listen(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close() {
    this.#closed = true;
    this.#channel?.close();
    this.#database?.close();
    this.#database = undefined;
  }

  async #begin(stores, mode) {
    const database = await this.#connect(false);
    try {
      return database.transaction(stores, mode, { durability: "strict" });
    } catch (error) {
      // The connection was closed under way, as by an eviction: the next one finds what is there.
      if (error?.name !== "InvalidStateError") throw fault(error, "can't begin a transaction");
      this.#database = undefined;
    }
    const again = await this.#connect(false);
    try {
      return again.transaction(stores, mode, { durability: "strict" });
    } catch (error) {
      throw fault(error, "can't begin a transaction");
    }
  }

  async load() {
    const transaction = await this.#begin(["meta", "rows", "snapshots"], "readonly");
    const store = (name) => transaction.objectStore(name);
    const requests = [
      settle(store("meta").get(KEY)),
      settle(store("rows").getAll()),
      settle(store("snapshots").getAllKeys()),
      settle(store("snapshots").getAll()),
    ];
    try {
      const [meta, turns, names, bytes] = await Promise.all(requests);
      const head = meta ?? { identity: NOBODY, floor: 1, mark: NOBODY };
      return {
        ...head,
        from: head.floor,
        rows: unpack(turns, head.floor),
        snapshots: names.map((name, index) => [name, bytes[index]]),
      };
    } catch (error) {
      throw fault(error, "can't read the store");
    }
  }

  async turn(from, write, take, feed) {
    let transaction;
    try {
      transaction = await this.#begin(["meta", "rows"], write ? "readwrite" : "readonly");
    } catch (error) {
      return { kind: "refused", error };
    }
    const turn = await this.#exchange(transaction, from, take, feed);
    if (turn.reload) return { kind: "refused", all: await this.load() };
    if (turn.appended) this.#channel?.postMessage(turn.at);
    return turn;
  }

  #exchange(transaction, from, take, feed) {
    return new Promise((resolve) => {
      const turn = { kind: "done", appended: false, at: 0 };
      transaction.oncomplete = () => {
        this.#aborts = 0;
        this.#forgotten = () => {};
        resolve(turn);
      };
      const aborted = () => {
        this.#forgotten = () => {};
        const full = transaction.error?.name === "QuotaExceededError";
        // The browser's doing, as when the store is evicted. Nothing was written: the next turn finds what is there.
        if (turn.error === undefined && !full && this.#aborts < ABORTS) {
          this.#aborts += 1;
          resolve({ kind: "conflict" });
          return;
        }
        resolve({ ...turn, kind: "refused", error: turn.error ?? fault(transaction.error, "can't write") });
      };
      transaction.onabort = aborted;
      this.#forgotten = () => {
        // Nobody says what became of its rows: that is seen by looking.
        if (turn.appended) resolve({ ...turn, kind: "unknown", error: fault(undefined, "can't write") });
        else aborted();
      };
      let rows;
      let head;
      try {
        rows = transaction.objectStore("rows");
        head = transaction.objectStore("meta").get(KEY);
      } catch {
        // It was aborted before anything was asked of it.
        aborted();
        return;
      }
      const page = (begin) => {
        const request = rows.getAll(IDBKeyRange.lowerBound(begin), PAGE);
        request.onsuccess = () => {
          try {
            took(begin, request.result);
          } catch (error) {
            turn.error = error;
            transaction.abort();
          }
        };
      };
      const took = (begin, found) => {
        const { identity, floor, mark } = head.result ?? { identity: NOBODY, floor: 1, mark: NOBODY };
        const from = Math.max(begin, floor);
        const fetched = { identity, floor, mark, from, rows: unpack(found, from) };
        if (found.length === PAGE) {
          feed(fetched);
          page(from + fetched.rows.length);
          return;
        }
        const { at, rows: out, reload } = take(fetched);
        turn.reload = reload;
        turn.at = at + out.length;
        turn.appended = out.length > 0;
        if (turn.appended) rows.add({ first: at, rows: out }, turn.at - 1);
        // Nothing more is asked: no need to wait for each answer.
        transaction.commit?.();
      };
      page(from);
    });
  }

  /** Publishes a snapshot, and lets go of what it makes superfluous, in one transaction. */
  async publish(name, bytes) {
    const transaction = await this.#begin(["meta", "rows", "snapshots"], "readwrite");
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(fault(transaction.error, "can't publish a snapshot"));
    });
    const snapshots = transaction.objectStore("snapshots");
    const meta = transaction.objectStore("meta");
    snapshots.put(bytes, name);
    const head = meta.get(KEY);
    const names = snapshots.getAllKeys();
    const held = snapshots.getAll();
    held.onsuccess = () => {
      const [superfluous, floor, mark] = call(() => keep(names.result, held.result));
      for (const old of superfluous) snapshots.delete(old);
      if (floor === undefined || head.result === undefined || floor <= head.result.floor) return;
      meta.put({ ...head.result, floor, mark }, KEY);
      transaction.objectStore("rows").delete(IDBKeyRange.upperBound(floor, true));
    };
    await done;
  }
}

/** Puts a store's rows into a database that has none yet. */
export async function fill(name, content) {
  const database = await connect(name, true);
  const transaction = database.transaction(["meta", "rows", "snapshots"], "readwrite", { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  const rows = transaction.objectStore("rows");
  const snapshots = transaction.objectStore("snapshots");
  const held = await Promise.all([settle(rows.count()), settle(snapshots.count())]);
  try {
    if (held[0] + held[1] > 0) {
      transaction.abort();
      await done.catch(() => {});
      throw invalid(`import: the database ${name} holds a store already: give another name, or delete it first`);
    }
    const { identity, floor, mark } = content;
    transaction.objectStore("meta").put({ identity, floor, mark }, KEY);
    if (content.rows.length > 0) rows.add({ first: floor, rows: content.rows }, floor + content.rows.length - 1);
    for (const [snapshot, bytes] of content.snapshots) snapshots.add(bytes, snapshot);
    await done;
  } catch (error) {
    throw error instanceof DOMException ? fault(error, "can't import") : error;
  } finally {
    database.close();
  }
}
