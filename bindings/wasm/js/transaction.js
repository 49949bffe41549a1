// Several changes in one piece.
import { invalid } from "./error.js";
import { nameOf, optionsOf, spellObject, textArgument, whole } from "./request.js";
import { committedOf, recordOf, TenureRecord, taskOf } from "./types.js";

const CHANGES = ["adds", "updates", "deletes", "puts", "removes", "increments"];
const REASONS = ["deleted", "finished", "failed", "cancelled", "moved"];

/** What is to happen in one piece. Nothing does before it is committed. */
export class Transaction {
  #driver;
  #request = {};
  #helds = new Set();
  #over = false;

  constructor(driver, request = {}) {
    this.#driver = driver;
    this.#request = request;
  }

  #push(part, item) {
    if (this.#over) throw invalid("this transaction is over: begin another");
    this.#request[part] ??= [];
    this.#request[part].push(item);
  }

  #join(task) {
    const { id, origin, owner } = nameOf(task, this.#helds);
    if (owner) this.#request.owner = owner;
    return { id, origin };
  }

  /** Adds a task. */
  add(group, data = "", options = {}) {
    optionsOf(options, ["json", "delay", "availableAt", "key", "ifExists"], "add");
    const content = "json" in options ? {} : { data };
    this.#push("adds", spellObject({ group, ...content, ...options }, `adds[${this.#request.adds?.length ?? 0}]`));
  }

  /** Changes a task; what is not named stays as it is. */
  update(task, change = {}) {
    optionsOf(change, ["data", "json", "group", "delay", "availableAt", "error", "force", "verb"], "update");
    const place = `updates[${this.#request.updates?.length ?? 0}]`;
    this.#push("updates", spellObject({ ...this.#join(task), ...change }, place));
  }

  /** Ends a task whose work is done. */
  finish(task) {
    this.delete(task, { reason: "finished" });
  }

  /** Ends a task; `reason` is `deleted`, `finished`, `failed`, `cancelled` or `moved`. */
  delete(task, options) {
    const { reason = "deleted", force = false } = optionsOf(options, ["reason", "force"], "delete");
    if (!REASONS.includes(reason)) throw invalid(`delete: reason is one of ${REASONS.join(", ")}`);
    this.#push("deletes", { ...this.#join(task), reason, force: force || undefined });
  }

  /** Gives a task back. */
  release(task, options) {
    const { delay = 0 } = optionsOf(options, ["delay"], "release");
    this.update(task, { verb: "release", delay });
  }

  /** Gives a task back with one more failure, whose text is kept. */
  fail(task, error, options) {
    const { delay = 0, group } = optionsOf(options, ["delay", "group"], "fail");
    this.update(task, { verb: "fail", error: errorText(error), delay, group });
  }

  /** A task that must exist: a task, an id, or an object with `id` or `origin`. */
  depend(task) {
    const origin = typeof task === "object" && task !== null && !("id" in task) ? task.origin : undefined;
    const item = origin === undefined ? { id: nameOf(task, this.#helds).id } : { origin: whole(origin, "depend", 1) };
    this.#push("depends", item);
  }

  /** A record, as this transaction would leave it. Should it change before the commit, the transaction is refused. */
  async get(table, key) {
    const same = (item) => item.table === table && item.key === key;
    const put = this.#request.puts?.findLast(same);
    if (put) return new TenureRecord({ ...put, revision: 0 });
    if (this.#request.removes?.some(same)) return null;
    const names = [textArgument(table, "table"), textArgument(key, "key")];
    const record = recordOf(await this.#driver.get(...names));
    if (!this.#request.guards?.some(same)) this.#push("guards", { table, key, expect: record?.revision ?? 0 });
    return record;
  }

  /** A task. Should it not exist at the commit, the transaction is refused. */
  async task(id) {
    const task = taskOf(await this.#driver.task(whole(id, "task", 1)));
    if (task) this.depend(id);
    return task;
  }

  /** Writes a record. */
  put(table, key, value, options) {
    const { expect, expiresAt } = optionsOf(options, ["expect", "expiresAt"], "put");
    this.#push(
      "puts",
      spellObject({ table, key, value, expect, expiresAt }, `puts[${this.#request.puts?.length ?? 0}]`),
    );
  }

  /** Removes a record. */
  remove(table, key, options) {
    const { expect } = optionsOf(options, ["expect"], "remove");
    this.#push("removes", spellObject({ table, key, expect }, `removes[${this.#request.removes?.length ?? 0}]`));
  }

  /** Adds to a number, at commit. */
  increment(table, key, by = 1, options = undefined) {
    const { min, max } = optionsOf(options, ["min", "max"], "increment");
    const place = `increments[${this.#request.increments?.length ?? 0}]`;
    this.#push("increments", spellObject({ table, key, by, min, max }, place));
  }

  /** Commits it, once. */
  async commit(options) {
    const { requestId } = optionsOf(options, ["requestId"], "commit");
    if (this.#over) throw invalid("this transaction is over: begin another");
    return committedOf((await this._commit(requestId)) ?? { revision: 0, tasks: [] });
  }

  /** Lets go of all that was asked for, unless it was committed. */
  async [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]() {
    this.#over = true;
  }

  /** @internal The answer of the commit, as it is spelled; `undefined` where nothing was asked. */
  async _commit(requestId) {
    this.#over = true;
    const request = this.#request;
    if (requestId !== undefined) request.request_id = textArgument(requestId, "requestId");
    const idle = !CHANGES.some((part) => request[part]?.length > 0);
    if (idle && !request.depends?.length && !request.guards?.length) return undefined;
    if (idle && !request.depends?.length) return this.#driver.verify(request);
    if (idle) request.depends_only = true;
    return this.#driver.update(request, [...this.#helds]);
  }

  /** @internal Whether an error only says that records which were read have changed. */
  _outdated(error) {
    if (error?.code !== "stale_record" || Object.keys(error.details).length !== 1) return false;
    const guarded = ({ table, key }) => this.#request.guards?.some((item) => item.table === table && item.key === key);
    return error.details.stale_records.every(guarded);
  }
}

/** The text that is kept of a failure. */
export function errorText(error) {
  if (typeof error === "string") return error;
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  throw invalid("fail: give an error, or a text that says what failed");
}
