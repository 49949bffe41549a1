// Tasks, records and groups, as callers see them.

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

function decode64(text) {
  if (typeof Uint8Array.fromBase64 === "function") return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** Bytes that came as text or as base64, and become bytes when they are asked for. */
class Bytes {
  #text;
  #base64;
  #bytes;

  constructor(text, base64) {
    this.#text = text;
    this.#base64 = base64;
  }

  bytes() {
    this.#bytes ??= this.#base64 === undefined ? encoder.encode(this.#text ?? "") : decode64(this.#base64);
    return this.#bytes;
  }

  text() {
    return this.#base64 === undefined ? (this.#text ?? "") : decoder.decode(this.bytes());
  }
}

/** A task. Any change gives it another id; a task that was claimed is yours while its id is the present one. */
export class Task {
  #data;

  constructor(spelled) {
    this.id = spelled.id;
    // A repeated answer names tasks that have changed since, and knows no more of them.
    this.origin = spelled.origin ?? 0;
    this.group = spelled.group ?? "";
    if (spelled.key !== undefined) this.key = spelled.key;
    this.availableAt = spelled.available_at ?? 0;
    this.addedAt = spelled.added_at ?? 0;
    this.owner = spelled.owner ?? 0;
    this.attempt = spelled.attempt ?? 0;
    this.failures = spelled.failures ?? 0;
    if (spelled.error !== undefined) this.error = spelled.error;
    this.#data = new Bytes(spelled.data, spelled.data_base64);
    Object.freeze(this);
  }

  get data() {
    return this.#data.bytes();
  }

  text() {
    return this.#data.text();
  }

  json() {
    return JSON.parse(this.#data.text());
  }
}

/** A value under a key, with the revision that last wrote it. */
export class TenureRecord {
  #value;

  constructor(spelled) {
    this.table = spelled.table;
    this.key = spelled.key;
    this.revision = spelled.revision;
    if (spelled.expires_at !== undefined) this.expiresAt = spelled.expires_at;
    this.#value = new Bytes(spelled.value, spelled.value_base64);
    Object.freeze(this);
  }

  get value() {
    return this.#value.bytes();
  }

  text() {
    return this.#value.text();
  }

  json() {
    return JSON.parse(this.#value.text());
  }
}

export const taskOf = (spelled) => (spelled === undefined ? null : new Task(spelled));
export const recordOf = (spelled) => (spelled === undefined ? null : new TenureRecord(spelled));

export function committedOf({ revision, tasks, counts, repeated }) {
  return {
    revision,
    tasks: tasks.map((task) => new Task(task)),
    counts: counts ?? [],
    repeated: repeated ?? false,
  };
}

export function groupOf(spelled) {
  const { name, tasks, available, delayed, held, oldest, paused } = spelled;
  const group = { name, tasks, available, delayed, held, paused: paused ?? false };
  if (oldest !== undefined) group.oldest = oldest;
  return group;
}
