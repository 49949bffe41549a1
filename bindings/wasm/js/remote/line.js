// Requests to a service: each is repeated, with the same request id, until it has an answer or nobody has the patience.
import { closed } from "../error.js";
import { random64 } from "../identity.js";
import { textOf } from "../request.js";
import { forgotten, problemOf, silence, stranger, unreached } from "./problem.js";

/** How long the first pause before a repeat is, and the longest, in milliseconds. */
const PAUSES = [50, 2_000];

/** After how long an answer that is not waited for counts as lost. */
const PROMPT = 60_000;

/** How long a handle that is closed waits for answers. */
const PARTING = 5_000;

/** A wait that is over sooner was ended by the service, which may be stopping. */
const SOON = 100;

/** How long one wait is at most, and how long where others wait for their turn. */
const TURNS = [15_000, 2_000];

export class Line {
  #base;
  #token;
  #actor;
  #store;
  /** The latest revision of the store that an answer told of. */
  #seen;
  #patience;
  #ended = new AbortController();
  #parts = new Set();
  #name = random64().toString(16).padStart(16, "0");
  #requests = 0;
  #under = new Set();
  #seats;
  #queue = [];

  constructor(base, { token, owner, actor, patience, polls }) {
    this.#base = base;
    this.#token = token;
    // A header holds visible ASCII.
    this.#actor = actor.replace(/[^\x21-\x7e]/g, "_");
    this.owner = owner;
    this.#patience = patience;
    this.#seats = polls;
  }

  /** Aborted once the handle is closed. */
  get ended() {
    return this.#ended.signal;
  }

  /** A request id that nobody else uses; none where nothing is repeated, since an id makes an entry of its own. */
  requestId() {
    if (this.#patience === 0) return undefined;
    this.#requests += 1;
    return `${this.#name}-${this.#requests}`;
  }

  /** Begins nothing any more, and ends what waits. What is under way still has a while for its answer. */
  async end() {
    const why = closed();
    this.#ended.abort(why);
    const end = (all) => {
      for (const part of [...this.#parts]) if (all || part.waits) part.control.abort(why);
    };
    end(false);
    const timer = setTimeout(end, PARTING, true);
    await this.settled();
    clearTimeout(timer);
  }

  /** Something that can be aborted: by its caller's signal, after `limit` milliseconds, or with the handle. */
  #begin(signal, limit, waits) {
    const control = new AbortController();
    const part = { control, waits };
    this.#parts.add(part);
    const stop = () => control.abort(signal.reason);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    const late = () => control.abort(new DOMException(`nothing came within ${limit} ms`, "TimeoutError"));
    const timer = setTimeout(late, limit);
    const release = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      this.#parts.delete(part);
    };
    return { signal: control.signal, release };
  }

  /** Waits, unless the caller or the handle ends it. */
  async #pause(milliseconds, given) {
    const { signal, release } = this.#begin(given, milliseconds, true);
    await new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", resolve);
    });
    release();
  }

  /** Until nothing is under way but what waits. */
  async settled() {
    while (this.#under.size > 0) await Promise.allSettled(this.#under);
  }

  /** Notes that something is under way. */
  track(promise) {
    this.#under.add(promise);
    const done = () => this.#under.delete(promise);
    promise.then(done, done);
    return promise;
  }

  /** Asks once which store is there. All else is meant for that one: a restored store's ids are others. */
  async greet(signal) {
    const { value, error } = await this.#try("GET", "/v1/store", undefined, { signal, limit: PROMPT });
    if (signal?.aborted) throw signal.reason;
    if (error !== undefined) throw error.cause instanceof TypeError ? unreached(this.#base, error.cause) : error;
    if (typeof value.store !== "string") throw stranger(this.#base);
    this.#store = value.store;
    this.#seen = value.revision;
  }

  get(path) {
    return this.track(this.#send("GET", path, undefined, { limit: PROMPT }));
  }

  /** Sends a change. It needs no request id to be repeated where doing it twice is as good as once. */
  change(method, path, body) {
    return this.track(this.#send(method, path, textOf(body), { limit: PROMPT, changes: true }));
  }

  /**
   * Sends what waits. `ask` gives the path and the body once its turn has come, from the longest that it may wait. Where
   * all turns are taken it asks once without waiting before it queues for one; `found` says whether that was enough.
   */
  async wait(method, signal, ask, found) {
    if (this.#seats === 0) {
      const answer = await this.#ask(method, signal, ask(0), 0);
      if (found(answer)) return answer;
    }
    await this.#seat(signal);
    try {
      const wait = TURNS[this.#queue.length > 0 ? 1 : 0];
      const begun = performance.now();
      const answer = await this.#ask(method, signal, ask(wait), wait);
      if (!found(answer) && performance.now() - begun < SOON) await this.#pause(SOON, signal);
      return answer;
    } finally {
      this.#seats += 1;
      this.#queue.shift()?.();
    }
  }

  #ask(method, signal, { path, body }, wait) {
    const how = { signal, waits: true, limit: wait + PROMPT, changes: body !== undefined };
    return this.#send(method, path, body === undefined ? undefined : textOf(body), how);
  }

  /** Sends what could wait and does not. */
  ask(method, signal, asked) {
    return this.track(this.#ask(method, signal, asked, 0));
  }

  async #seat(signal) {
    while (this.#seats === 0) {
      await new Promise((resolve) => {
        const go = () => {
          for (const one of [signal, this.ended]) one?.removeEventListener("abort", go);
          this.#queue = this.#queue.filter((other) => other !== go);
          resolve();
        };
        for (const one of [signal, this.ended]) one?.addEventListener("abort", go);
        this.#queue.push(go);
      });
      const ended = [signal, this.ended].find((one) => one?.aborted);
      if (ended === undefined) continue;
      // Its turn is the next one's.
      if (this.#seats > 0) this.#queue.shift()?.();
      throw ended.reason;
    }
    this.#seats -= 1;
  }

  async #send(method, path, body, how) {
    const until = performance.now() + this.#patience;
    // Lest a repeat is done again that comes when the store has forgotten the first one.
    const after = how.changes ? this.#seen : undefined;
    let repeats = false;
    for (let wait = PAUSES[0]; ; wait = Math.min(wait * 2, PAUSES[1])) {
      if (this.ended.aborted) throw this.ended.reason;
      const { value, error, again } = await this.#try(method, path, body, how, repeats ? after : undefined);
      if (error === undefined) {
        if (value?.revision > this.#seen) this.#seen = value.revision;
        return value;
      }
      if (repeats && after !== undefined && error.code === "truncated") throw forgotten(error);
      repeats = true;
      if (how.signal?.aborted) throw how.signal.reason;
      if (this.ended.aborted) throw how.waits ? this.ended.reason : error;
      if (!again || performance.now() + wait > until) throw error;
      await this.#pause(wait * (0.5 + Math.random() / 2), how.signal);
    }
  }

  async headers(body) {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const token = await this.#token?.();
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (this.#store !== undefined) headers["tenure-store"] = this.#store;
    return headers;
  }

  /** One attempt. */
  async #try(method, path, body, { signal: given, limit, waits = false, changes = false }, after) {
    const headers = await this.headers(body);
    if (after !== undefined) headers["tenure-sent-after"] = `${after}`;
    if (method !== "GET") headers["tenure-actor"] = this.#actor;
    const { signal, release } = this.#begin(given, limit, waits);
    try {
      const response = await this.#fetch(path, { method, headers, body, signal });
      const text = await response.text();
      let value;
      try {
        value = text === "" ? undefined : JSON.parse(text);
      } catch {
        // Something in between answered in its own words.
      }
      return response.ok && value !== undefined ? { value } : problemOf(response, value, changes);
    } catch (cause) {
      return { error: silence(this.#base, cause, changes), again: true };
    } finally {
      release();
    }
  }

  #fetch(path, init) {
    // Nothing of another site's cookies, and never an answer that was kept.
    return fetch(this.#base + path, { credentials: "omit", cache: "no-store", redirect: "error", ...init });
  }

  /** An answer that comes in pieces, or the error that stands in its place. */
  async stream(path, headers, signal) {
    try {
      const response = await this.#fetch(path, { headers: { ...(await this.headers()), ...headers }, signal });
      if (response.ok) return { response };
      const text = await response.text();
      let body;
      try {
        body = JSON.parse(text);
      } catch {
        // As above.
      }
      return { status: response.status, ...problemOf(response, body, false) };
    } catch (cause) {
      return { error: silence(this.#base, cause, false), again: true };
    }
  }
}
