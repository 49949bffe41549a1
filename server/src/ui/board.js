// The dashboard. Everything that comes from the store is set as text, never as markup.
import { draw } from "/ui/chart.js";
import { fill, rows, span } from "/ui/rows.js";

/** How often it looks, and how many tasks it shows at a time. */
const EVERY = 2000;
const PAGE = 50;
/** Data beyond this is not fetched anew by itself. */
const HEAVY = 1 << 20;

const at = (id) => document.getElementById(id);
const clock = () => Date.now() + ahead;
const number = new Intl.NumberFormat("en");
let token = sessionStorage.getItem("token") ?? "";
let group;
/** How far the service's clock is ahead of this one. */
let ahead = 0;
let wanted = PAGE;
let heavy = false;
let seen;

async function call(method, path, body) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  const reply = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const value = await reply.json();
  if (!reply.ok) throw Object.assign(new Error(value.detail || reply.statusText), { status: reply.status });
  return value;
}

function say(text, bad = false) {
  at("said").textContent = text;
  at("said").classList.toggle("is-bad", bad);
}

/** Whether the service answers, and what is to be done where it does not let one look. */
function linked(error) {
  const up = error === undefined;
  at("link").className = up ? "is-up" : "is-down";
  at("link").textContent = up ? "live" : error.status ? "not allowed" : "no answer";
  at("notice").hidden = up;
  const unknown = error?.status === 401 ? "Give a token that the service knows, above: " : "The service does not answer: ";
  if (!up) at("notice").textContent = `${error.status && error.status !== 401 ? "" : unknown}${error.message}`;
}

function showGroups(groups) {
  rows(at("groups"), groups, (each) => each.name, (row) => {
    const name = row.insertCell();
    const open = document.createElement("button");
    open.className = "group-name";
    open.addEventListener("click", () => enter(row.dataset.key));
    name.append(open);
    for (const title of ["tasks", "available", "held", "delayed", "oldest waits"]) {
      const cell = row.insertCell();
      cell.className = "number";
      cell.dataset.name = title;
    }
  }, (row, each) => fill(row, each, clock()));
  for (const row of at("groups").rows) row.classList.toggle("is-open", row.dataset.key === group);
  at("no-groups").hidden = groups.length > 0;
  for (const part of ["tasks", "available", "held", "delayed"]) {
    at(`f-${part}`).textContent = number.format(groups.reduce((sum, each) => sum + each[part], 0));
  }
}

function stateOf(task) {
  if (task.available_at <= clock()) return "available";
  return task.owner ? "held" : "delayed";
}

/** Commits a change of one task, and says what came of it. */
async function change(done, task, request) {
  try {
    const { tasks } = await call("POST", "/v1/update", { request_id: crypto.randomUUID?.() ?? String(Math.random()), ...request });
    say(`Task ${task.id} ${done}${tasks[0] ? `: it is task ${tasks[0].id} now` : ""}.`);
  } catch (error) {
    say(`Task ${task.id} could not be changed: ${error.message}`, true);
  }
  await Promise.all([showTasks(), look()]);
}

function button(name, act) {
  const made = document.createElement("button");
  made.textContent = name;
  made.dataset.act = name;
  made.addEventListener("click", act);
  return made;
}

function newTask(row) {
  const line = (cell, kind) => {
    const made = document.createElement("span");
    made.className = kind;
    cell.append(made);
  };
  const verb = (name, done) => () => change(done, row.task, { updates: [{ id: row.task.id, verb: name, force: true }] });
  const [id, state] = [row.insertCell(), row.insertCell()];
  line(id, "id");
  line(id, "more-of");
  line(state, "pill");
  line(state, "more-of");
  for (const title of ["attempt", "failures"]) {
    const cell = row.insertCell();
    cell.className = "number";
    cell.dataset.name = title;
  }
  const what = row.insertCell();
  what.className = "what";
  line(what, "text");
  line(what, "text error");
  const acts = row.insertCell();
  acts.className = "acts";
  // What can't be undone takes a second press.
  const cancel = button("Cancel", () => {
    if (!cancel.classList.toggle("is-sure")) {
      change("cancelled", row.task, { deletes: [{ id: row.task.id, reason: "cancelled", force: true }] });
    }
    named(row);
  });
  cancel.addEventListener("blur", () => {
    cancel.classList.remove("is-sure");
    named(row);
  });
  acts.append(button("Requeue", verb("requeue", "requeued")), button("Release", verb("release", "released")), cancel);
}

/** What the buttons of a task are called, for those who do not see its row. */
function named(row) {
  for (const each of row.querySelectorAll("button")) {
    const sure = each.classList.contains("is-sure");
    each.textContent = sure ? "Really cancel?" : each.dataset.act;
    each.setAttribute("aria-label", `${sure ? "really cancel" : each.dataset.act.toLowerCase()} task ${row.task.id}`);
  }
}

function fillTask(row, task) {
  row.task = task;
  const state = stateOf(task);
  const [id, pill, attempt, failures, what] = row.cells;
  id.children[0].textContent = task.id;
  id.children[1].textContent = task.key === undefined ? "" : `key ${task.key}`;
  pill.children[0].className = `pill ${state}`;
  pill.children[0].textContent = state === "available" ? state : `${state}, ${span(task.available_at - clock())}`;
  pill.children[1].textContent = state === "held" ? `by owner ${task.owner}` : "";
  for (const [cell, count] of [[attempt, task.attempt], [failures, task.failures]]) {
    cell.textContent = number.format(count);
    cell.classList.toggle("none", count === 0);
  }
  failures.classList.toggle("failed", task.failures > 0);
  const data = task.data ?? `base64: ${task.data_base64}`;
  what.children[0].textContent = data.length > 400 ? `${data.slice(0, 400)}…` : data;
  what.children[1].textContent = task.error ?? "";
  what.children[1].hidden = !task.error;
  row.querySelector("[data-act=Release]").hidden = state !== "held";
  named(row);
}

async function showTasks() {
  const asked = group;
  const query = new URLSearchParams({ group, limit: wanted });
  if (at("state").value) query.set("state", at("state").value);
  try {
    const found = await call("GET", `/v1/tasks?${query}`);
    if (asked !== group) return;
    heavy = found.tasks.reduce((sum, task) => sum + (task.data ?? task.data_base64).length, 0) > HEAVY;
    const gone = rows(at("tasks"), found.tasks, (task) => String(task.origin), newTask, fillTask);
    // Whoever pressed a button of a task that is no longer there goes on from the title.
    if (gone) at("group-title").focus();
    at("no-tasks").hidden = found.tasks.length > 0;
    at("more").hidden = found.next === undefined;
  } catch (error) {
    say(error.message, true);
  }
}

async function enter(name) {
  group = name;
  wanted = PAGE;
  at("group").hidden = false;
  at("group-title").textContent = name;
  at("tasks").replaceChildren();
  say("");
  await showTasks();
  for (const row of at("groups").rows) row.classList.toggle("is-open", row.dataset.key === group);
  at("group-title").focus();
}

async function look() {
  try {
    const [groups, stats] = await Promise.all([call("GET", "/v1/groups"), call("GET", "/v1/stats")]);
    ahead = groups.now - Date.now();
    showGroups(groups.groups);
    at("f-records").textContent = number.format(stats.records);
    at("f-revision").textContent = number.format(stats.revision);
    draw(stats.revision, number);
    linked();
    const news = seen !== stats.revision;
    seen = stats.revision;
    if (group !== undefined && news && !heavy) await showTasks();
  } catch (error) {
    linked(error);
  }
}

at("login").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value;
  sessionStorage.setItem("token", token);
  look();
});
at("more").addEventListener("click", () => {
  wanted += PAGE;
  showTasks();
});
at("again").addEventListener("click", showTasks);
at("state").addEventListener("change", showTasks);
look();
setInterval(() => document.hidden || look(), EVERY);
