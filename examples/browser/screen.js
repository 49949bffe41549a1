// The screen. Every task has a slot while it is shown, and keeps it: nothing moves when others come and go.
const $ = (id) => document.getElementById(id);
const SLOTS = { held: 10, waiting: 12, tabs: 6 };
const lists = {};
let groupViews = new Map();
let onDone = () => {};

/** A fixed number of slots, each for one thing at a time. */
class Slots {
  #items = [];

  constructor(list, count) {
    const template = $("slot").content.firstElementChild;
    for (let n = 0; n < count; n += 1) {
      const node = template.cloneNode(true);
      list.append(node);
      const part = (name) => node.querySelector(`.${name}`);
      this.#items.push({ node, key: undefined, what: part("what"), who: part("who"), until: part("until"), acts: part("acts"), lease: part("lease") });
    }
  }

  /** Puts things into slots: each into the one that it has, new ones into free ones. */
  put(things, fill) {
    const byKey = new Map(things.map((thing) => [thing.key, thing]));
    for (const slot of this.#items) {
      const thing = byKey.get(slot.key);
      if (thing) byKey.delete(slot.key);
      else slot.key = undefined;
      if (thing) fill(slot, thing);
    }
    const rest = byKey.values();
    for (const slot of this.#items.filter((slot) => slot.key === undefined)) {
      const { value, done } = rest.next();
      clear(slot);
      if (done) continue;
      slot.key = value.key;
      fill(slot, value);
    }
  }
}

function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

function clear({ node, what, who, until, acts, lease }) {
  for (const part of [what, who, until, acts]) if (part.childNodes.length > 0) part.replaceChildren();
  node.className = "slot";
  lease.style.transform = "scaleX(0)";
}

function seconds(milliseconds) {
  return `${Math.max(0, Math.ceil(milliseconds / 1000))} s`;
}

/** Draws what stays: groups and empty slots. */
export function draw(groups, { claim, pause, done }) {
  onDone = done;
  const template = $("group").content.firstElementChild;
  groupViews = new Map(
    groups.map((name) => {
      const node = template.cloneNode(true);
      node.querySelector("h3").textContent = name;
      const [take, stop] = [node.querySelector(".claim"), node.querySelector(".pause")];
      take.setAttribute("aria-label", `Claim one of ${name}`);
      stop.setAttribute("aria-label", `Pause ${name}`);
      take.addEventListener("click", () => claim(name));
      stop.addEventListener("click", () => pause(name, stop.getAttribute("aria-pressed") !== "true"));
      $("groups").append(node);
      $("add").elements.group.append(new Option(name, name));
      return [name, node];
    }),
  );
  for (const [name, count] of Object.entries(SLOTS)) lists[name] = new Slots($(name), count);
}

function showGroup({ name, available, held, delayed, tasks, paused }) {
  const node = groupViews.get(name);
  const counts = { available, held, delayed };
  for (const [kind, count] of Object.entries(counts)) text(node.querySelector(`.numbers .${kind}`), String(count));
  const scale = (count) => `scaleX(${tasks === 0 ? 0 : count / tasks})`;
  node.querySelector(".bar .held").style.transform = scale(held);
  node.querySelector(".bar .available").style.transform = scale(held + available);
  const stop = node.querySelector(".pause");
  stop.setAttribute("aria-pressed", String(paused));
  text(stop, paused ? "Go on" : "Pause");
  node.classList.toggle("is-paused", paused);
}

function buttons(acts, task) {
  if (acts.childNodes.length > 0) return;
  for (const [how, label] of [
    ["finish", "Finish"],
    ["fail", "Fail"],
  ]) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    button.setAttribute("aria-label", `${label} ${task.text()}`);
    button.addEventListener("click", () => onDone(task.origin, how));
    acts.append(button);
  }
}

/** Shows the store as it is. */
export function show({ groups, held, waiting, tabs, revision, tasks, done, persisted, me, mine, lease }) {
  const now = Date.now();
  for (const group of groups) showGroup(group);
  const keyed = (task) => ({ key: task.origin, task });
  lists.held.put(held.map(keyed), (slot, { task }) => {
    const own = task.owner === me;
    text(slot.what, `${task.text()} · ${task.group}`);
    text(slot.who, own ? "this tab" : (tabs.get(task.owner) ?? "a tab that is gone"));
    text(slot.until, seconds(task.availableAt - now));
    slot.node.classList.toggle("is-mine", own);
    slot.lease.style.transform = `scaleX(${Math.min(1, Math.max(0, (task.availableAt - now) / lease))})`;
    if (mine.has(task.origin)) buttons(slot.acts, task);
  });
  lists.waiting.put(waiting.map(keyed), (slot, { task }) => {
    text(slot.what, task.text());
    text(slot.who, task.failures > 0 ? `${task.group} · failed ${task.failures} ×` : task.group);
    const wait = task.availableAt - now;
    text(slot.until, wait > 0 ? `in ${seconds(wait)}` : "available");
  });
  lists.tabs.put(
    [...tabs].map(([key, name]) => ({ key, name })),
    (slot, { key, name }) => {
      text(slot.what, name);
      text(slot.who, key === me ? "this tab" : "");
      slot.node.classList.toggle("is-mine", key === me);
    },
  );
  text($("held-count"), String(groups.reduce((sum, group) => sum + group.held, 0)));
  text($("waiting-count"), String(groups.reduce((sum, group) => sum + group.available + group.delayed, 0)));
  text($("tabs-count"), String(tabs.size));
  text($("revision"), String(revision));
  text($("tasks"), String(tasks));
  text($("done"), done);
  text($("persisted"), { true: "yes", false: "no", null: "unasked" }[persisted]);
}

/** Tells what happened, in one line. */
export function say(what) {
  text($("said"), what);
}
