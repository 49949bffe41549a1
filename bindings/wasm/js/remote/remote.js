// A store's requests, answered by a service. `../local.js` offers the same from the core in this page.
import { Invalid, invalid, NotFound, Rejected } from "../error.js";
import { Events } from "./events.js";
import { Leases } from "./lease.js";

/** Tasks and records that the service gives at a time. */
const PAGE = 10_000;

/** A name as one part of a path. */
function part(name, what) {
  // However they are written, these would mean the folder and the one above.
  if (name === "." || name === "..") throw invalid(`${what}: the service has no path for the name ${name}`);
  return encodeURIComponent(name);
}

const query = (given) => {
  const all = new URLSearchParams(Object.entries(given).filter(([, value]) => value !== undefined));
  return all.size === 0 ? "" : `?${all}`;
};

/** What was looked up by a path; `undefined` where it is not there. */
async function found(asked) {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof NotFound && error.code === "not_found") return undefined;
    throw error;
  }
}

export class Remote {
  #line;
  #clock;
  #leases;
  #events;

  constructor(line, clock) {
    this.#line = line;
    this.#clock = clock;
    this.#leases = new Leases(
      clock,
      (request) => this.#commit(request),
      (promise) => line.track(promise),
    );
    this.#events = new Events(line);
  }

  now() {
    return this.#clock.now();
  }

  /** Throws once the handle has ended. */
  check() {
    if (this.#line.ended.aborted) throw this.#line.ended.reason;
  }

  // Writing

  async #commit(request) {
    const { owner = this.#line.owner } = request;
    // What only looks is as good when it is done twice.
    const request_id = request.request_id ?? (request.depends_only ? undefined : this.#line.requestId());
    await this.#events.ready;
    const committed = await this.#line.change("POST", "/v1/update", { ...request, owner, request_id });
    this.#events.saw(committed.revision);
    return committed;
  }

  async update(request, helds) {
    this.check();
    return helds.length === 0 ? this.#commit(request) : this.#leases.commit(request, helds);
  }

  /**
   * Whether records are as they were read. A record's revision never comes back: one that has the same now had it all the
   * while, and so there was a moment at which all were as they were read.
   */
  async verify({ guards }) {
    const present = await Promise.all(guards.map(({ table, key }) => this.get(table, key)));
    const changed = guards
      .map((guard, index) => ({ ...guard, found: present[index]?.revision ?? 0 }))
      .filter(({ expect, found }) => expect !== found);
    if (changed.length === 0) return { revision: 0, tasks: [] };
    const [{ table, key }] = changed;
    throw new Rejected(`record "${key}" in table "${table}" has changed since it was read: read it again`, {
      code: "stale_record",
      outcome: "refused",
      retry: "later",
      details: {
        stale_records: changed.map(({ table, key, expect, found }) => ({ table, key, expected: expect, found })),
      },
    });
  }

  async claim(claim, signal) {
    this.check();
    await this.#events.ready;
    const { owner = this.#line.owner, wait = 0, ...rest } = claim;
    const until = wait === "forever" ? Number.POSITIVE_INFINITY : this.now() + wait;
    const any = ({ tasks }) => tasks.length > 0;
    for (let request_id = claim.request_id ?? this.#line.requestId(); ; ) {
      const asked = (turn) => {
        const left = Math.max(0, Math.min(turn, until - this.now()));
        return { path: "/v1/claim", body: { ...rest, owner, request_id, wait: left } };
      };
      const committed = await (wait === 0
        ? this.#line.ask("POST", signal, asked(0))
        : this.#line.wait("POST", signal, asked, any));
      // What a lost answer told of may be somebody else's by now, or nobody's: then it is as if it had not come.
      const again = committed.repeated && claim.request_id === undefined;
      if (again) committed.tasks = committed.tasks.filter(({ origin }) => origin);
      const gone = again && !any(committed);
      if (!gone && (any(committed) || this.now() >= until)) {
        this.#events.saw(committed.revision);
        return committed;
      }
      if (gone) request_id = this.#line.requestId();
    }
  }

  async pause(group, paused) {
    this.check();
    return (await this.#line.change("PUT", `/v1/groups/${part(group, "pause")}/paused`, { paused })).revision;
  }

  // Looking

  async #look(path) {
    this.check();
    return this.#line.get(path);
  }

  task(id) {
    return found(this.#look(`/v1/tasks/${id}`));
  }

  find(origin) {
    return found(this.#look(`/v1/origins/${origin}`));
  }

  async byKey(group, key) {
    if (group === "" || key === "") return undefined;
    return found(this.#look(`/v1/groups/${part(group, "group")}/keys/${part(key, "key")}`));
  }

  async #pages(list, after, limit, ask) {
    const all = [];
    for (let next = after; all.length < limit; ) {
      const page = await this.#look(ask(next, Math.min(PAGE, limit - all.length)));
      all.push(...page[list]);
      next = page.next;
      if (next === undefined) break;
    }
    return all;
  }

  tasks(group, state, after, limit) {
    const kind = state === "all" ? undefined : state;
    const ask = (after, limit) => `/v1/tasks${query({ group, state: kind, after, limit })}`;
    return this.#pages("tasks", after, limit, ask);
  }

  async groups() {
    return (await this.#look("/v1/groups")).groups;
  }

  async group(name) {
    return this.#look(`/v1/groups/${part(name, "group")}`);
  }

  async get(table, key) {
    if (table === "" || key === "") return undefined;
    return found(this.#look(`/v1/tables/${part(table, "table")}/records/${part(key, "key")}`));
  }

  async scan(table, prefix, after, limit) {
    if (table === "") return [];
    const path = `/v1/tables/${part(table, "table")}/records`;
    return this.#pages("records", after, limit, (after, limit) => path + query({ prefix, after, limit }));
  }

  async waitEmpty(names, until, signal) {
    for (;;) {
      if (signal?.aborted) throw signal.reason;
      const wanted = (await this.groups()).filter(({ name, tasks }) => tasks > 0 && names.includes(name));
      if (wanted.length === 0) return true;
      if (this.now() >= until) return false;
      const path = `/v1/groups/${part(wanted[0].name, "waitEmpty")}`;
      const asked = (turn) => ({ path: path + query({ empty_within: Math.min(turn, until - this.now()) }) });
      await this.#line.wait("GET", signal, asked, ({ tasks }) => tasks === 0);
    }
  }

  // Held tasks

  hold(task, lease, held) {
    return this.#leases.hold(task, lease, held);
  }

  renew(number) {
    return this.#leases.renew(number);
  }

  present(number) {
    return this.#leases.present(number);
  }

  isEnded(number) {
    return this.#leases.isEnded(number);
  }

  forget(number) {
    this.#leases.forget(number);
  }

  // The handle

  follow(listener) {
    return this.#events.follow(listener);
  }

  async snapshot() {
    this.check();
    return (await this.#line.change("POST", "/v1/snapshot", {})).revision;
  }

  async flush() {
    this.check();
    await this.#events.ready;
    await this.#line.change("POST", "/v1/flush", {});
  }

  async stats() {
    const { revision, next_id: nextId, tasks, records, clock_ahead: ahead, digest } = await this.#look("/v1/stats");
    return { revision, nextId, tasks, records, ahead, digest, persisted: null };
  }

  async export() {
    this.check();
    throw new Invalid("a service's store is not exported: GET /v1/backup, or `tenure backup`, copies it", {
      code: "unsupported",
    });
  }

  settled() {
    return this.#line.settled();
  }

  /** Ends the handle: what waits ends at once, and what is under way is answered first. */
  async close() {
    if (this.#line.ended.aborted) return;
    const ended = this.#line.end();
    this.#leases.loseAll(this.#line.ended.reason);
    // Those who watch see that it has ended.
    this.#events.end();
    await ended;
  }
}
