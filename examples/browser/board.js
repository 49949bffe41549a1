// One store, shared by every tab that shows this page: who holds what, until when.
import { indexedDB, open } from "tenure-wasm";
import { draw, say, show } from "./screen.js";

export const GROUPS = ["thumbnails", "mail", "reports"];
const LEASE = 8_000;
const ALIVE = 6_000;

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const store = await open(indexedDB(query.get("store") ?? "tenure-board"));
const animals = ["otter", "heron", "lynx", "marten", "plover", "badger", "stoat", "curlew", "hare", "wren"];
const me = query.get("name") ?? `${animals[store.owner % animals.length]}-${String(store.owner % 97).padStart(2, "0")}`;
// Tasks that this tab claimed by a click, by their origins.
const mine = new Map();

$("me").textContent = me;

/** Says that this tab is alive, in a record that vanishes when it is not. */
async function beat() {
  await store.put("tabs", String(store.owner), JSON.stringify({ name: me }), { expiresAt: Date.now() + ALIVE });
}

async function look() {
  const groups = [];
  for (const name of GROUPS) groups.push(await store.group(name));
  const held = await store.tasks({ state: "held", limit: 64 });
  const waiting = [
    ...(await store.tasks({ state: "available", limit: 48 })),
    ...(await store.tasks({ state: "delayed", limit: 16 })),
  ];
  const tabs = new Map();
  for (const record of await store.scan("tabs")) tabs.set(Number(record.key), record.json().name);
  const { revision, tasks, persisted } = await store.stats();
  const done = (await store.get("counts", "done"))?.text() ?? "0";
  show({ groups, held, waiting, tabs, revision, tasks, done, persisted, me: store.owner, mine, lease: LEASE });
}

// However much happens, the screen is drawn at most once in a frame.
let wanted = false;
let looking = false;
async function refresh() {
  wanted = true;
  if (looking) return;
  looking = true;
  while (wanted) {
    wanted = false;
    await look();
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  looking = false;
}

async function follow() {
  for await (const _event of store.watch()) refresh();
}

/** Claims and finishes, as long as the switch is on. */
async function work(signal) {
  for await (const held of store.claims(GROUPS, { lease: LEASE, signal })) {
    await held
      .run(async () => {
        await new Promise((resolve) => setTimeout(resolve, 250 + Math.random() * 500));
        await store.transact((tx) => {
          tx.finish(held);
          tx.increment("counts", "done");
        });
      })
      .catch((error) => say(`${error.name}: ${error.message}`));
  }
}

async function claim(group) {
  for await (const held of store.claims(group, { lease: LEASE, idle: 0 })) {
    mine.set(held.task.origin, held);
    held.signal.addEventListener("abort", () => say(`Lost: ${held.signal.reason.message}`));
    say(`You hold task ${held.task.id}. Its lease is renewed until you finish it, or until this tab is gone.`);
    return;
  }
  say(`Nothing is available in ${group}.`);
}

const ACTS = {
  async finish(held) {
    await store.transact((tx) => {
      tx.finish(held);
      tx.increment("counts", "done");
    });
    say(`Task ${held.task.id} is finished.`);
  },
  async fail(held) {
    await held.fail("failed by hand", { delay: 5_000 });
    say(`Task ${held.task.id} failed, and comes again in 5 s.`);
  },
};

/** Runs what a click asks for, and says what went wrong. */
async function act(run) {
  try {
    await run();
  } catch (error) {
    say(`${error.name}: ${error.message}`);
  }
  refresh();
}

draw(GROUPS, {
  claim: (group) => act(() => claim(group)),
  pause: (group, paused) => act(() => store.pause(group, paused)),
  async done(origin, how) {
    const held = mine.get(origin);
    await act(() => ACTS[how](held));
    mine.delete(origin);
  },
});

$("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const { group, data, many } = Object.fromEntries(new FormData(event.target));
  const items = Array.from({ length: Number(many) }, (_, n) => `${data} ${n + 1}`);
  act(async () => {
    await store.addMany(group, items);
    say(`${items.length} tasks were added to ${group}.`);
  });
});

let working;
$("work").addEventListener("change", (event) => {
  working?.abort();
  working = event.target.checked ? new AbortController() : undefined;
  if (working) work(working.signal).catch((error) => say(`${error.name}: ${error.message}`));
});

$("open").addEventListener("click", () => window.open(location.href.split("#")[0], "_blank"));

// No goodbye: what this tab holds stays held until its lease ends.
$("kill").addEventListener("click", () => location.replace("killed.html"));

$("export").addEventListener("click", () =>
  act(async () => {
    const url = URL.createObjectURL(new Blob([await store.export()], { type: "application/x-tar" }));
    const link = Object.assign(document.createElement("a"), { href: url, download: "board.tenure.tar" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }),
);

await beat();
setInterval(beat, ALIVE / 3);
setInterval(refresh, 1_000);
follow().catch((error) => say(`${error.name}: ${error.message}`));
await refresh();
document.documentElement.dataset.ready = "yes";
window.board = { store, me };
