"use strict";
// Everything that comes from the store is set as text, never as markup.
const at = (id) => document.getElementById(id);
let token = sessionStorage.getItem("token") || "";
let group = null;
let now = Date.now();
let after = 0;
const points = [];

async function call(method, path, body) {
  const headers = {};
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = "application/json";
  const reply = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const value = await reply.json();
  if (!reply.ok) throw new Error(value.detail || reply.statusText);
  return value;
}

function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86400)} d`;
}

function cell(row, value, kind) {
  const td = row.insertCell();
  td.textContent = value ?? "";
  if (kind) td.className = kind;
  return td;
}

function button(parent, name, label, act) {
  const made = document.createElement("button");
  made.textContent = name;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  parent.append(made, " ");
}

// A row that is there keeps its button, so that whoever has it in focus does not lose it.
function showGroups(groups) {
  const rows = new Map([...at("groups").rows].map((row) => [row.dataset.name, row]));
  groups.forEach((each, index) => {
    let row = rows.get(each.name);
    rows.delete(each.name);
    if (!row) {
      row = at("groups").insertRow(index);
      row.dataset.name = each.name;
      button(row.insertCell(), each.name, `tasks of group ${each.name}`, () => open(each.name));
      for (let n = 0; n < 5; n++) cell(row, "", "number");
    }
    const age = each.oldest === undefined ? "-" : span(now - each.oldest);
    const values = [each.tasks, each.available, each.held, each.delayed, each.paused ? `${age}, paused` : age];
    values.forEach((value, n) => { row.cells[n + 1].textContent = value; });
  });
  rows.forEach((row) => row.remove());
}

function state(task) {
  if (task.available_at <= now) return "available";
  return `${task.owner ? "held" : "delayed"}, ${span(task.available_at - now)}`;
}

async function change(name, task, request) {
  try {
    await call("POST", "/v1/update", { request_id: crypto.randomUUID(), ...request });
    at("said").textContent = `task ${task.id}: ${name}`;
  } catch (error) {
    at("said").textContent = `task ${task.id}: ${error.message}`;
  }
  await open(group);
}

function showTask(task) {
  const row = at("tasks").insertRow();
  cell(row, task.id, "number");
  cell(row, state(task));
  cell(row, task.attempt, "number");
  cell(row, task.failures, "number");
  cell(row, task.owner || "", "number");
  cell(row, task.error, "text");
  const data = task.data ?? `base64: ${task.data_base64}`;
  cell(row, data.length > 300 ? `${data.slice(0, 300)}…` : data, "text");
  const td = row.insertCell();
  const verb = (name) => change(`${name}d`, task, { updates: [{ id: task.id, verb: name, force: true }] });
  button(td, "Requeue", `requeue task ${task.id}`, () => verb("requeue"));
  if (task.owner && task.available_at > now) button(td, "Release", `release task ${task.id}`, () => verb("release"));
  const end = { deletes: [{ id: task.id, reason: "cancelled", force: true }] };
  button(td, "Cancel", `cancel task ${task.id}`, () => change("cancelled", task, end));
}

async function page() {
  const found = await call("GET", `/v1/tasks?group=${encodeURIComponent(group)}&after=${after}&limit=100`);
  found.tasks.forEach(showTask);
  after = found.next || 0;
  at("more").hidden = !found.next;
}

async function open(name) {
  const moved = group !== name;
  group = name;
  after = 0;
  at("group").hidden = false;
  at("group-title").textContent = `Group ${name}`;
  at("tasks").replaceChildren();
  try {
    await page();
  } catch (error) {
    at("said").textContent = error.message;
  }
  if (moved || !document.activeElement || document.activeElement === document.body) at("group-title").focus();
}

function chart(revision) {
  points.push([Date.now(), revision]);
  if (points.length > 150) points.shift();
  const rates = points.slice(1).map(([time, count], n) => 1000 * (count - points[n][1]) / (time - points[n][0]));
  const most = Math.max(1, ...rates);
  const line = rates.map((rate, n) => `${(300 * n / 149).toFixed(1)},${(58 - 56 * rate / most).toFixed(1)}`).join(" ");
  at("throughput").firstElementChild.setAttribute("points", line);
  if (rates.length) at("rate").textContent = `${rates.at(-1).toFixed(1)} now, ${most.toFixed(1)} at most`;
}

async function look() {
  try {
    const [groups, stats] = await Promise.all([call("GET", "/v1/groups"), call("GET", "/v1/stats")]);
    now = groups.now;
    showGroups(groups.groups);
    at("numbers").textContent = `revision ${stats.revision}, ${stats.tasks} tasks, ${stats.records} records`;
    chart(stats.revision);
  } catch (error) {
    at("numbers").textContent = error.message;
  }
}

at("login").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value;
  sessionStorage.setItem("token", token);
  look();
});
at("more").addEventListener("click", page);
look();
setInterval(look, 2000);
