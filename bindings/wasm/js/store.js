// The store: what a page calls.

import { Claims } from "./claims.js";
import { call, invalid, TenureError } from "./error.js";
import { loadArchive } from "./module.js";
import { groupsOf, nameOf, optionsOf, signalOf, span, spellObject, textArgument, textOf, whole } from "./request.js";
import { errorText, Transaction } from "./transaction.js";
import { committedOf, groupOf, recordOf, Task, TenureRecord, taskOf } from "./types.js";
import { Watch } from "./watch.js";
import { windowOf } from "./window.js";

const STATES = ["all", "available", "delayed", "held"];
const REQUEST = ["owner", "requestId", "adds", "updates", "deletes", "depends", "puts", "removes", "increments"];
const ADD = ["json", "delay", "availableAt", "key", "ifExists", "requestId"];
const CLAIM = ["owner", "requestId", "lease", "limit", "order", "depends", "wait", "signal"];
const CLAIMS = ["lease", "order", "idle", "signal"];

/** A handle on a store. `open` makes it. */
export class Store {
  #journal;
  #owner;
  #actor;
  #detach = () => {};

  constructor(driver, journal, { owner, actor, persisted }) {
    this._driver = driver;
    this.#journal = journal;
    this.#owner = owner;
    this.#actor = actor;
    this._persisted = persisted;
  }

  /** The number by which this handle claims. */
  get owner() {
    return this.#owner;
  }

  /** The label of who does it. */
  get actor() {
    return this.#actor;
  }

  // Tasks

  async add(group, data, options) {
    const { requestId, ...rest } = optionsOf(options, ADD, "add");
    const tx = new Transaction(this._driver);
    tx.add(group, data, rest);
    return committedOf(await tx._commit(requestId)).tasks[0];
  }

  async addMany(group, items, options) {
    const { requestId, delay } = optionsOf(options, ["requestId", "delay"], "addMany");
    if (typeof items?.[Symbol.iterator] !== "function" || typeof items === "string") {
      throw invalid("addMany: give a list of data");
    }
    const tx = new Transaction(this._driver);
    for (const data of items) tx.add(group, data, { delay });
    const committed = await tx._commit(requestId);
    return committed === undefined ? [] : committedOf(committed).tasks;
  }

  /** Claims a task; `null` where none is available within `wait`. */
  async claim(groups, options) {
    return (await this.claimMany(groups, { ...optionsOf(options, CLAIM, "claim"), limit: 1 }))[0] ?? null;
  }

  /** Claims up to `limit` tasks. A cancelled wait holds nothing. */
  async claimMany(groups, options) {
    const { signal: _, ...given } = optionsOf(options, CLAIM, "claimMany");
    const signal = signalOf(options ?? {});
    const claim = { ...given, groups: groupsOf(groups, "claim") };
    if ("wait" in given) claim.wait = span(given.wait, "wait");
    const text = textOf(spellObject(claim, ""));
    if (signal?.aborted) throw signal.reason;
    const claimed = this._driver.ask((desk, now) => desk.claim(text, now));
    const stop = () => this._driver.cancel(claimed.ticket);
    signal?.addEventListener("abort", stop);
    try {
      return committedOf(await claimed).tasks;
    } catch (error) {
      // As everywhere on the web, what ends is told by the reason that the signal gives.
      if (error instanceof TenureError && error.code === "cancelled" && signal?.aborted) throw signal.reason;
      throw error;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  /** Held tasks as they come, until `signal` is aborted or none came for `idle` milliseconds. */
  claims(groups, options) {
    const given = optionsOf(options, CLAIMS, "claims");
    const { lease = 60_000, idle = Number.POSITIVE_INFINITY, order } = given;
    return new Claims(this, groupsOf(groups, "claims"), {
      lease: whole(lease, "lease", 1),
      idle: span(idle, "idle"),
      order,
      signal: signalOf(given),
    });
  }

  async renew(task, lease = 60_000) {
    return this.#changed(task, { verb: "renew", delay: whole(lease, "lease") });
  }

  async release(task, options) {
    const { delay = 0 } = optionsOf(options, ["delay"], "release");
    return this.#changed(task, { verb: "release", delay });
  }

  async finish(task) {
    await this._commit((tx) => tx.finish(task));
  }

  async fail(task, error, options) {
    const { delay = 0, group } = optionsOf(options, ["delay", "group"], "fail");
    return this.#changed(task, { verb: "fail", error: errorText(error), delay, group });
  }

  /** Ends a task that nobody wants any more; with `force` even where another holds it. */
  async cancel(task, options) {
    const { force = false } = optionsOf(options, ["force"], "cancel");
    const { id, origin, owner } = nameOf(task);
    // A task carries its holder; who cancels by force is this handle.
    const name = force ? { id, origin } : { id, origin, owner };
    await this._commit((tx) => tx.delete(name, { reason: "cancelled", force }));
  }

  /** Puts a task into another group, to be claimed there at once. */
  async move(task, group) {
    return this.#changed(task, { verb: "release", group });
  }

  /** Makes a task as if it had never been claimed. */
  async requeue(task, options) {
    const { group, delay = 0 } = optionsOf(options, ["group", "delay"], "requeue");
    return this.#changed(task, { verb: "requeue", group, delay });
  }

  // Looking

  async task(id) {
    const wanted = whole(id, "task");
    return taskOf(await this._driver.look((desk) => desk.task(wanted)));
  }

  /** The live task that an add began, under whatever id it has by now. */
  async find(origin) {
    const wanted = whole(origin, "find");
    return taskOf(await this._driver.look((desk) => desk.find(wanted)));
  }

  async byKey(group, key) {
    const names = [textArgument(group, "group"), textArgument(key, "key")];
    return taskOf(await this._driver.look((desk) => desk.byKey(...names)));
  }

  async tasks(options) {
    const given = optionsOf(options, ["group", "state", "limit", "after"], "tasks");
    const { group, state = "all", limit = 1000, after = 0 } = given;
    if (!STATES.includes(state)) throw invalid(`tasks: state is one of ${STATES.join(", ")}`);
    if (group !== undefined) textArgument(group, "group");
    const page = [whole(after, "after"), whole(limit, "limit")];
    const text = await this._driver.look((desk, now) => desk.tasks(group, state, ...page, now));
    return JSON.parse(text).tasks.map((task) => new Task(task));
  }

  async groups() {
    const text = await this._driver.look((desk, now) => desk.groups(now));
    return JSON.parse(text).groups.map(groupOf);
  }

  async group(name) {
    const wanted = textArgument(name, "group");
    return groupOf(JSON.parse(await this._driver.look((desk, now) => desk.group(wanted, now))));
  }

  /** Waits until none of the groups has a task left; says whether that came true within `timeout`. */
  async waitEmpty(groups, options) {
    const names = groupsOf(groups, "waitEmpty");
    const given = optionsOf(options, ["timeout", "signal"], "waitEmpty");
    const timeout = span(given.timeout ?? Number.POSITIVE_INFINITY, "timeout");
    const watch = new Watch(this._driver, { signal: signalOf(given), until: this._driver.now() + timeout });
    try {
      for (;;) {
        if ((await this._driver.look((desk) => desk.groupsLen(names))) === 0) return true;
        if (!(await watch.changed())) return false;
      }
    } finally {
      watch.close();
    }
  }

  // Transactions and records

  /** Commits a transaction that is spelled out: all of it, or nothing. */
  async update(request) {
    if (typeof request !== "object" || request === null) throw invalid("update: give an object");
    optionsOf(request, [...REQUEST, "guards", "dependsOnly"], "update");
    const text = textOf(spellObject(request, ""));
    return committedOf(await this._driver.ask((desk) => desk.update(text, new Float64Array())));
  }

  /**
   * Calls `body` with a transaction and commits what it asked for; answers with what it answered. Where a record that it
   * read through the transaction has changed meanwhile, it is called again.
   */
  async transact(body, options) {
    const { retries = 16, requestId } = optionsOf(options, ["retries", "requestId"], "transact");
    if (typeof body !== "function") throw invalid("transact: give a function");
    for (let left = whole(retries, "retries"); ; left -= 1) {
      const tx = new Transaction(this._driver);
      const value = await body(tx);
      try {
        await tx._commit(requestId);
        return value;
      } catch (error) {
        if (left === 0 || !tx._outdated(error)) throw error;
      }
    }
  }

  async get(table, key) {
    const names = [textArgument(table, "table"), textArgument(key, "key")];
    return recordOf(await this._driver.look((desk, now) => desk.get(...names, now)));
  }

  async put(table, key, value, options) {
    return (await this._commit((tx) => tx.put(table, key, value, options))).revision;
  }

  async remove(table, key, options) {
    return (await this._commit((tx) => tx.remove(table, key, options))).revision;
  }

  async increment(table, key, by = 1, options = undefined) {
    return (await this._commit((tx) => tx.increment(table, key, by, options))).counts[0];
  }

  async scan(table, options) {
    const given = optionsOf(options, ["prefix", "after", "limit"], "scan");
    const { prefix = "", after, limit = 1000 } = given;
    const names = [textArgument(table, "table"), textArgument(prefix, "prefix")];
    if (after !== undefined) textArgument(after, "after");
    const most = whole(limit, "limit");
    const text = await this._driver.look((desk, now) => desk.scan(...names, after, most, now));
    return JSON.parse(text).records.map((record) => new TenureRecord(record));
  }

  /** Whether claims skip a group from now on. */
  async pause(group, paused = true) {
    return this.put("_groups", group, paused ? '{"paused":true}' : "{}");
  }

  // The handle

  /** Committed entries, by whichever tab, from now on. */
  watch(options) {
    const given = optionsOf(options, ["signal"], "watch");
    return new Watch(this._driver, { signal: signalOf(given), events: true });
  }

  /** Takes a snapshot now, and lets go of what it makes superfluous. Answers with the revision that it holds. */
  async snapshot() {
    return this._driver.snapshot();
  }

  /** Waits until everything that was asked before is durable. */
  async flush() {
    await this._driver.look(() => undefined);
  }

  async stats() {
    const sizes = await this._driver.look((desk) => [...desk.sizes(), desk.digest()]);
    const [revision, nextId, tasks, records, ahead, digest] = sizes;
    return { revision, nextId, tasks, records, ahead, digest, persisted: await this._persisted };
  }

  /** The store as bytes: a tar archive of a folder that every other Tenure opens. */
  async export() {
    await this.flush();
    const all = await this.#journal.load();
    const { exportFolder, Window } = await loadArchive();
    return call(() => exportFolder(windowOf(all, Window)));
  }

  /** Ends the handle. What is still waiting ends with `Closed`. */
  async close() {
    this.#detach();
    await this._driver.close();
  }

  async [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]() {
    await this.close();
  }

  /** @internal */
  _attach(clock) {
    if (clock.attach) this.#detach = clock.attach(this);
  }

  /** @internal For clocks that wait for what they set going. */
  settled() {
    return this._driver.settled();
  }

  async #changed(task, change) {
    return (await this._commit((tx) => tx.update(task, change))).tasks[0];
  }

  /** @internal */
  async _commit(put) {
    const tx = new Transaction(this._driver);
    put(tx);
    return committedOf(await tx._commit());
  }

  /** @internal */
  _present(number) {
    const id = this._driver.desk.present(number);
    return id === undefined ? null : taskOf(this._driver.desk.task(id));
  }

  /** @internal */
  _isEnded(number) {
    return this._driver.desk.isEnded(number);
  }
}
