// What a service's store commits, as server-sent events over fetch, which can carry a token where EventSource can't.
// All watches of a handle share one stream. One that breaks off goes on behind the last event that came.

/** How long the first pause before a stream is begun anew is, and the longest, in milliseconds. */
const PAUSES = [100, 5_000];

/** The service sends something every 10 s; after so long without anything the stream is dead. */
const SILENCE = 30_000;

function changeOf(spelled) {
  const { kind, id = 0, old = 0, group, table, key, reason, owner = 0, available_at: availableAt = 0 } = spelled;
  const change = { kind, id, old, place: group ?? table ?? "", owner, availableAt };
  if (key !== undefined) change.key = key;
  if (reason !== undefined) change.reason = reason;
  return change;
}

function eventOf({ revision, at, owner, actor, request_id: requestId, changes }) {
  const event = { revision, at, owner, actor, changes: changes.map(changeOf) };
  if (requestId !== undefined) event.requestId = requestId;
  return event;
}

export class Events {
  #line;
  #listeners = new Map();
  #stream;
  #last;
  #seen = 0;

  constructor(line) {
    this.#line = line;
  }

  /** Somebody here has learned of this revision: whoever begins to watch later is not told of it. */
  saw(revision) {
    this.#seen = Math.max(this.#seen, revision);
  }

  /** Until those who watch are sure to see what is asked for from now on. */
  get ready() {
    return this.#stream?.ready;
  }

  follow(listener) {
    this.#listeners.set(listener, this.#seen);
    this.#stream ??= this.#begin();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stream?.control.abort();
      this.#stream = undefined;
      this.#last = undefined;
    };
  }

  /** The handle has ended, as its listeners find when they look. */
  end() {
    this.#stream?.control.abort();
    this.#tell("take", []);
  }

  #begin() {
    const stream = { control: new AbortController() };
    stream.ready = new Promise((resolve) => {
      stream.begun = resolve;
    });
    this.#run(stream).finally(() => stream.begun());
    return stream;
  }

  #tell(what, ...given) {
    for (const listener of [...this.#listeners.keys()]) listener[what](...given);
  }

  async #run(stream) {
    const { signal } = stream.control;
    for (let wait = PAUSES[0]; !signal.aborted; wait = Math.min(wait * 2, PAUSES[1])) {
      const headers = this.#last === undefined ? {} : { "last-event-id": String(this.#last) };
      const begun = await this.#line.stream("/v1/watch", headers, signal);
      if (signal.aborted) return;
      if (begun.response !== undefined) {
        await this.#read(begun.response, stream, () => {
          wait = PAUSES[0];
        });
      } else if (begun.status === 410) {
        // What came meanwhile is no longer held: they look at the state anew, and go on from now.
        this.#last = undefined;
        this.#tell("lag");
      } else if (!begun.again) {
        this.#tell("fail", begun.error);
        this.#stream = undefined;
        return;
      }
      // Nobody waits for a stream that does not begin.
      stream.begun();
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, wait * (0.5 + Math.random() / 2));
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Reads until the stream ends, however it does. */
  async #read(response, stream, live) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let timer;
    const guard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => reader.cancel().catch(() => {}), SILENCE);
    };
    let text = "";
    try {
      for (;;) {
        guard();
        const { done, value } = await reader.read();
        if (done) return;
        live();
        const parts = (text + value).split("\n\n");
        text = parts.pop();
        this.#take(parts, stream);
      }
    } catch {
      // It broke off, or was aborted.
    } finally {
      clearTimeout(timer);
    }
  }

  #take(parts, stream) {
    const news = [];
    for (const part of parts) {
      const fields = new Map(part.split("\n").map((line) => line.split(/: ?(.*)/s, 2)));
      if (fields.has("id")) this.#last = Number(fields.get("id"));
      if (fields.get("event") === "start") stream.begun();
      if (fields.get("event") === "entry") news.push(eventOf(JSON.parse(fields.get("data"))));
    }
    if (news.length === 0) return;
    for (const [listener, from] of [...this.#listeners]) {
      const later = news.filter(({ revision }) => revision > from);
      if (later.length > 0) listener.take(later);
    }
  }
}
