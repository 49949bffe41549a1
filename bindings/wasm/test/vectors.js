// The shared vectors, as every binding runs them; see core/tests/vectors/README.md. For Node and for pages: the caller
// reads the files and says how to compare.

// What a page passes has other names for its places; arguments.test.js has the wrong types.
export const LEFT_OUT = "what can't be read is refused with its place";

export const SCRIPTS = ["requests", "results", "errors", "verbs"];

const camel = (name) => name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());

function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** A request's or a claim's JSON spelling as JavaScript has it. */
function said(fields) {
  if (Array.isArray(fields)) return fields.map(said);
  if (typeof fields !== "object" || fields === null) return fields;
  const spoken = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === "data_base64" || name === "value_base64") {
      spoken[name.replace("_base64", "")] = typeof value === "string" ? bytes(value) : value;
    } else {
      spoken[camel(name)] = said(value);
    }
  }
  return spoken;
}

function content(name, data) {
  try {
    return { [name]: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data) };
  } catch {
    return { [`${name}_base64`]: btoa(String.fromCharCode(...data)) };
  }
}

function spellTask(task) {
  if (task.origin === 0) return { id: task.id };
  const { id, origin, group, availableAt, addedAt, owner, attempt, failures, key, error } = task;
  const spelled = { id, origin, group, available_at: availableAt, added_at: addedAt, owner, attempt, failures };
  if (key !== undefined) spelled.key = key;
  if (error !== undefined) spelled.error = error;
  return { ...spelled, ...content("data", task.data) };
}

function spellRecord(record) {
  const { table, key, revision, expiresAt } = record;
  const spelled = { table, key, revision, ...content("value", record.value) };
  if (expiresAt !== undefined) spelled.expires_at = expiresAt;
  return spelled;
}

function spellGroup({ paused, ...group }) {
  return paused ? { ...group, paused } : group;
}

const one = (name, found, spell) => (found === null ? {} : { [name]: spell(found) });

async function perform(store, deed, fields) {
  const named = said(fields);
  switch (deed) {
    case "update": {
      const { revision, tasks, counts, repeated } = await store.update(named);
      const answer = { revision, tasks: tasks.map(spellTask) };
      if (counts.length > 0) answer.counts = counts;
      if (repeated) answer.repeated = true;
      return answer;
    }
    case "claim": {
      const { groups = [], wait: _, ...options } = named;
      return { tasks: (await store.claimMany(groups, options)).map(spellTask) };
    }
    case "task":
      return one("task", await store.task(named.id), spellTask);
    case "find":
      return one("task", await store.find(named.origin), spellTask);
    case "by_key":
      return one("task", await store.byKey(named.group, named.key), spellTask);
    case "tasks":
      return { tasks: (await store.tasks(named)).map(spellTask) };
    case "groups":
      return { groups: (await store.groups()).map(spellGroup) };
    case "get":
      return one("record", await store.get(named.table, named.key), spellRecord);
    case "scan": {
      const { table, ...options } = named;
      return { records: (await store.scan(table, options)).map(spellRecord) };
    }
    default: {
      const { id, ...rest } = named;
      const calls = {
        renew: () => store.renew(id, rest.lease),
        release: () => store.release(id, rest),
        finish: () => store.finish(id),
        fail: () => store.fail(id, rest.error, { delay: rest.delay, group: rest.group }),
        cancel: () => store.cancel(id, rest),
        move: () => store.move(id, rest.group),
        requeue: () => store.requeue(id, rest),
      };
      return one("task", (await calls[deed]()) ?? null, spellTask);
    }
  }
}

/** Runs one script on a store with this clock; `same(found, expected, where)` throws where they differ. */
export async function runScript(script, store, clock, errors, same) {
  for (const [number, step] of script.steps.entries()) {
    const { at, answer, error, ...deeds } = step;
    const [[deed, fields]] = Object.entries(deeds);
    if (at !== undefined) await clock.set(at);
    let found;
    try {
      found = { answer: await perform(store, deed, fields) };
    } catch (raised) {
      if (!(raised instanceof errors.TenureError)) throw raised;
      const { kind, code, message, outcome, retry, details } = raised;
      found = { error: { kind, code, message, outcome, retry } };
      if (Object.keys(details).length > 0) found.error.details = details;
    }
    // `claimMany` answers with tasks alone.
    const expected = error ? { error } : { answer: deed === "claim" ? { tasks: answer.tasks } : answer };
    same(found, expected, `step ${number + 1}: ${deed} ${JSON.stringify(fields)}`);
  }
}

/** The options of a script's store. */
export function optionsOf(script, clock) {
  const limits = Object.fromEntries(Object.entries(script.limits ?? {}).map(([name, value]) => [camel(name), value]));
  return { clock, owner: 7, actor: "vectors", seed: 1, limits };
}
