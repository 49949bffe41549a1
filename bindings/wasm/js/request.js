// What callers pass, in the core's JSON spelling: camelCase becomes snake_case, bytes become base64. What the core judges
// by itself (names, ids, bounds, unknown fields) passes as it is.
import { Invalid, invalid } from "./error.js";
import { Held } from "./held.js";
import { Task } from "./types.js";

/** More than this would only fill the module's memory before the core refuses it. */
const MOST = 256 << 20;

const encoder = new TextEncoder();

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function base64(bytes) {
  if (typeof bytes.toBase64 === "function") return bytes.toBase64();
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, at + 0x8000));
  }
  return btoa(text);
}

/** A view on bytes, of a buffer that is still there. */
export function bytesOf(data, place) {
  try {
    if (data instanceof ArrayBuffer) return new Uint8Array(data);
    if (ArrayBuffer.isView(data)) {
      // A view on a detached buffer is empty, and would pass for no data.
      if (data.byteLength === 0) new Uint8Array(data.buffer);
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    }
  } catch (cause) {
    throw invalid(`${place}: the buffer is detached: pass the bytes before they are transferred`, cause);
  }
  return undefined;
}

/** Adds data to a spelled object: text as text, bytes as base64. */
function putData(object, name, data, place) {
  if (typeof data === "string") {
    if (data.isWellFormed?.() === false) throw lone(`${place}${name}`);
    object[name] = data;
    return data.length;
  }
  const bytes = bytesOf(data, `${place}${name}`);
  if (bytes === undefined) throw invalid(`${place}${name}: give a string, a Uint8Array or an ArrayBuffer`);
  if (bytes.length > MOST) throw huge(bytes.length);
  object[`${name}_base64`] = base64(bytes);
  return bytes.length;
}

function lone(place) {
  return invalid(`${place}: half of a surrogate pair, which UTF-8 can't write: pass bytes, or mend the text`);
}

function huge(size) {
  const message = `a request of ${size} bytes is beyond ${MOST}: split it`;
  return new Invalid(message, { code: "over_limit" });
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Spells one value. `wait: Infinity` is the only number that need not be finite. */
function spell(value, place) {
  switch (typeof value) {
    case "string":
      if (value.isWellFormed?.() === false) throw lone(place);
      return value;
    case "number":
      if (!Number.isFinite(value)) throw invalid(`${place}: ${value} is no number of milliseconds, items or tasks`);
      return value;
    case "boolean":
    case "undefined":
      return value;
    case "object":
      if (value === null) return value;
      if (Array.isArray(value)) return value.map((item, index) => spell(item, `${place}[${index}]`));
      return spellObject(value, place);
    default:
      throw invalid(`${place}: a ${typeof value} can't be sent: give a string, a number or true or false`);
  }
}

/** Spells an object, with `data`, `json` or `value` in it as bytes. */
export function spellObject(object, place) {
  const spelled = {};
  const inside = place === "" ? "" : `${place}.`;
  for (const [name, value] of Object.entries(object)) {
    // As in the core, `null` is as good as nothing.
    if (value === undefined || value === null) continue;
    if (name === "json") {
      if ("data" in object) throw invalid(`${inside}json: give \`data\` or \`json\`, not both`);
      let text;
      try {
        text = JSON.stringify(value);
      } catch (cause) {
        throw invalid(`${inside}json: can't be written as JSON: ${cause.message}`, cause);
      }
      if (text === undefined) throw invalid(`${inside}json: a ${typeof value} can't be written as JSON`);
      spelled.data = text;
    } else if (name === "data" || name === "value") {
      putData(spelled, name, value, inside);
    } else if (name === "wait" && value === Number.POSITIVE_INFINITY) {
      spelled.wait = "forever";
    } else {
      spelled[snake(name)] = spell(value, `${inside}${name}`);
    }
  }
  return spelled;
}

/** Names a task in a request: a Task, a Held, or an id. */
export function nameOf(task, helds) {
  if (task instanceof Held) {
    helds?.add(task);
    const { id, origin, owner } = task.task;
    return { id, origin, owner };
  }
  if (task instanceof Task) return { id: task.id, origin: task.origin || undefined, owner: task.owner };
  if (typeof task === "number") return { id: task };
  if (isObject(task) && "id" in task) return { id: task.id, origin: task.origin, owner: task.owner };
  throw invalid("task: give a task, a held task or an id");
}

/** The JSON of a spelled object. */
export function textOf(spelled) {
  let text;
  try {
    text = JSON.stringify(spelled);
  } catch (cause) {
    // Longer than a string can be.
    throw new Invalid(`the request can't be written: ${cause.message}`, { code: "over_limit", cause });
  }
  if (text.length > MOST * 2) throw huge(text.length);
  return text;
}

/** The bytes of what may be text. */
export function encode(data, place) {
  if (typeof data === "string") return encoder.encode(data);
  const bytes = bytesOf(data, place);
  if (bytes === undefined) throw invalid(`${place}: give a string, a Uint8Array or an ArrayBuffer`);
  return bytes;
}

/** Options that are an object, or nothing. */
export function optionsOf(options, known, call) {
  if (options === undefined || options === null) return {};
  if (!isObject(options)) throw invalid(`${call}: the options are an object, not a ${typeof options}`);
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw invalid(`${call}: unknown option \`${name}\`; known are ${known.join(", ")}`);
  }
  return options;
}

export function textArgument(value, place) {
  if (typeof value !== "string")
    throw invalid(`${place}: give a string, not ${value === null ? "null" : `a ${typeof value}`}`);
  if (value.isWellFormed?.() === false) throw lone(place);
  if (value.length > MOST) throw huge(value.length);
  return value;
}

/** A whole number from `least`. */
export function whole(value, place, least = 0) {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least) {
    throw invalid(`${place}: give a whole number from ${least}, not ${String(value)}`);
  }
  return value;
}

/** A span in milliseconds, where `Infinity` is for ever. */
export function span(value, place) {
  return value === Number.POSITIVE_INFINITY ? value : whole(value, place);
}

/** Group names, given one by one or in a list. */
export function groupsOf(groups, call) {
  const all = Array.isArray(groups) ? groups : [groups];
  return all.map((group) => textArgument(group, `${call}: group`));
}

export function signalOf(options) {
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalid("signal: give an AbortSignal");
  return signal;
}
