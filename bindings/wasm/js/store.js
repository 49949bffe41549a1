// The store: what a page calls.

import { claims } from "./claims.js";
import { invalid } from "./error.js";
import { Held } from "./held.js";
import { groupsOf, nameOf, optionsOf, signalOf, span, spellObject, textArgument, whole } from "./request.js";
import { errorText, Transaction } from "./transaction.js";
import { committedOf, groupOf, recordOf, Task, TenureRecord, taskOf } from "./types.js";
import { Watch } from "./watch.js";

const STATES = ["all", "available", "delayed", "held"];
const REQUEST = ["owner", "requestId", "adds", "updates", "deletes", "depends", "puts", "removes", "increments"];
const ADD = ["json", "delay", "availableAt", "key", "ifExists", "requestId"];
const CLAIM = ["owner", "requestId", "lease", "limit", "order", "depends", "wait", "signal"];
const CLAIMS = ["lease", "order", "idle", "signal"];

/**
 * A handle on a store; `open` and `connect` make it. It spells requests and reads answers. Its driver carries them: to the
 * core in this page, or to a service.
 */
export class Store {
  #owner;
  #actor;
  #detach = () => {};

  constructor(driver, { owner, actor }) {
    this._driver = driver;
    this.#owner = owner;
    this.#actor = actor;
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
    const spelled = spellObject(claim, "");
    if (signal?.aborted) throw signal.reason;
    return committedOf(await this._driver.claim(spelled, signal)).tasks;
  }

  /** Held tasks as they come, until `signal` is aborted or none came for `idle` milliseconds. */
  claims(groups, options) {
    const given = optionsOf(options, CLAIMS, "claims");
    const { lease = 60_000, idle = Number.POSITIVE_INFINITY, order } = given;
    return claims(this, groupsOf(groups, "claims"), {
      lease: whole(lease, "lease", 1),
      idle: span(idle, "idle"),
      order,
      signal: signalOf(given),
    });
  }

  /** Holds a task that this handle claimed: renews its lease, now and in time, until it is finished or let go. */
  async hold(task, options) {
    const { lease = 60_000 } = optionsOf(options, ["lease"], "hold");
    if (!(task instanceof Task)) throw invalid("hold: give a task that was claimed");
    const held = new Held(this, task, whole(lease, "lease", 1));
    try {
      await held.renew();
      return held;
    } catch (error) {
      held.forget();
      throw error;
    }
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
    return taskOf(await this._driver.task(wanted));
  }

  /** The live task that an add began, under whatever id it has by now. */
  async find(origin) {
    const wanted = whole(origin, "find");
    return taskOf(await this._driver.find(wanted));
  }

  async byKey(group, key) {
    const names = [textArgument(group, "group"), textArgument(key, "key")];
    return taskOf(await this._driver.byKey(...names));
  }

  async tasks(options) {
    const given = optionsOf(options, ["group", "state", "limit", "after"], "tasks");
    const { group, state = "all", limit = 1000, after = 0 } = given;
    if (!STATES.includes(state)) throw invalid(`tasks: state is one of ${STATES.join(", ")}`);
    if (group !== undefined) textArgument(group, "group");
    const page = [whole(after, "after"), whole(limit, "limit")];
    return (await this._driver.tasks(group, state, ...page)).map((task) => new Task(task));
  }

  async groups() {
    return (await this._driver.groups()).map(groupOf);
  }

  async group(name) {
    const wanted = textArgument(name, "group");
    return groupOf(await this._driver.group(wanted));
  }

  /** Waits until none of the groups has a task left; says whether that came true within `timeout`. */
  async waitEmpty(groups, options) {
    const names = groupsOf(groups, "waitEmpty");
    const given = optionsOf(options, ["timeout", "signal"], "waitEmpty");
    const timeout = span(given.timeout ?? Number.POSITIVE_INFINITY, "timeout");
    return this._driver.waitEmpty(names, this._driver.now() + timeout, signalOf(given));
  }

  // Transactions and records

  /** Commits a transaction that is spelled out: all of it, or nothing. */
  async update(request) {
    if (typeof request !== "object" || request === null) throw invalid("update: give an object");
    optionsOf(request, [...REQUEST, "guards", "dependsOnly"], "update");
    return committedOf(await this._driver.update(spellObject(request, ""), []));
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

  /** A transaction that is committed with `commit()`, once; `transact` does so by itself. */
  transaction() {
    return new Transaction(this._driver);
  }

  async get(table, key) {
    const names = [textArgument(table, "table"), textArgument(key, "key")];
    return recordOf(await this._driver.get(...names));
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
    return (await this._driver.scan(...names, after, most)).map((record) => new TenureRecord(record));
  }

  /** Whether claims skip a group from now on. */
  async pause(group, paused = true) {
    return this._driver.pause(textArgument(group, "group"), Boolean(paused));
  }

  // The handle

  /** Committed entries, by whichever tab, from now on. */
  watch(options) {
    const given = optionsOf(options, ["signal"], "watch");
    return new Watch(this._driver, signalOf(given));
  }

  /** Takes a snapshot now, and lets go of what it makes superfluous. Answers with the revision that it holds. */
  async snapshot() {
    return this._driver.snapshot();
  }

  /** Waits until everything that was asked before is durable. */
  async flush() {
    await this._driver.flush();
  }

  async stats() {
    return this._driver.stats();
  }

  /** The store as bytes: a tar archive of a folder that every other Tenure opens. */
  async export() {
    return this._driver.export();
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
    return this._driver.present(number);
  }

  /** @internal */
  _isEnded(number) {
    return this._driver.isEnded(number);
  }
}
