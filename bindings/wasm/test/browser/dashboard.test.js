// The service's dashboard: what it shows, that it works by keyboard alone, how it looks, and that data stays text.
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "../../js/client.js";
import { lacks, Service } from "../service.js";
import { launch } from "./chromium.js";

const skip = lacks();
const shots = process.env.SHOTS ?? fileURLToPath(new URL("../../../../target/browser-shots/", import.meta.url));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const ADMIN = "the admin's secret word";
const READER = "the reader's secret word";
const HOSTILE = `<img src=x onerror="window.broken=1"><script>window.broken=1</script>`;

let browser;
let folder;
let service;
let store;

/** Work in every state: failed, held, delayed, paused, and such as would do harm as markup. */
async function fill() {
  const tasks = [
    ["mail/out", ["welcome, ada@example.com", "receipt 4711", "password reset, bob@example.com", "digest, week 48"]],
    ["thumbnails", Array.from({ length: 37 }, (_, n) => `{"photo":"IMG_${4200 + n}.jpg","sizes":[64,256,1024]}`)],
    ["imports/eu-central", ["orders-2026-11-26.csv", "orders-2026-11-27.csv", HOSTILE]],
  ];
  for (const [group, items] of tasks) await store.addMany(group, items);
  await store.addMany("reports", ["monthly", "weekly", "daily"], { delay: 5_400_000 });
  await store.add("reports", "ad hoc", { key: "ad-hoc" });
  for (let n = 0; n < 9; n += 1) await store.claim("thumbnails", { lease: 1_200_000, order: "oldest" });
  const failed = await store.claim("mail/out", { order: "oldest" });
  await store.fail(failed, new RangeError("connection to smtp.example.com refused after 30 s"));
  await store.pause("imports/eu-central");
  for (let n = 0; n < 5; n += 1) await store.put("settings", `key-${n}`, "x");
}

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "tenure-dashboard-"));
  const tokens = join(folder, "tokens.json");
  const made = [
    { name: "admin", secret: ADMIN, grants: [{ scope: "admin" }] },
    { name: "reader", secret: READER, grants: [{ scope: "read" }] },
  ];
  await writeFile(tokens, JSON.stringify({ tokens: made }));
  await chmod(tokens, 0o600);
  service = await Service.start("--tokens", tokens);
  store = await connect(service.url, { token: ADMIN });
  await fill();
  browser = await launch();
  await mkdir(shots, { recursive: true });
});

after(async () => {
  await browser?.close();
  await store?.close();
  await service?.stop();
  if (folder) await rm(folder, { recursive: true });
});

async function dashboard(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) page.faults.push(message.text());
  });
  await page.addInitScript(() => {
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => {
      window.violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
    });
  });
  await page.goto(`${service.url}/ui`);
  return page;
}

/** Gives a token as one does with a mouse. */
async function enter(page, token = ADMIN) {
  await page.fill("#token", token);
  await page.click("#login button");
  await page.waitForSelector("#link.is-up");
}

/** Presses Tab until what has the focus is called so. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press("Tab");
    const found = await page.evaluate(() => {
      const at = document.activeElement;
      return at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent.trim();
    });
    if (found === name) return;
  }
  assert.fail(`no Tab leads to ${name}`);
}

const cells = (page, table) =>
  page.$$eval(`${table} tr`, (rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim())));

test("groups show their counts and ages, and the chart what is committed", { skip }, async () => {
  const page = await dashboard();
  await enter(page);
  await page.waitForSelector("#groups tr:nth-child(4)");
  const groups = Object.fromEntries(
    (await cells(page, "#groups")).map(([name, ...rest]) => [name.replace(/paused$/, ""), rest]),
  );
  assert.deepEqual(groups.thumbnails.slice(0, 4), ["37", "28", "9", "0"]);
  assert.deepEqual(groups.reports.slice(0, 4), ["4", "1", "0", "3"]);
  assert.match(groups.thumbnails[4], /^\d+ (s|min)$/);
  assert.match(await page.textContent("#groups tr:has-text('imports')"), /paused/);
  const before = Number((await page.textContent("#f-revision")).replace(/,/g, ""));
  await Promise.all(Array.from({ length: 40 }, (_, n) => store.put("settings", "chart", String(n))));
  await page.waitForFunction(
    (before) => Number(document.getElementById("f-revision").textContent.replace(/,/g, "")) >= before + 40,
    before,
  );
  await page.waitForFunction(() => document.getElementById("line").getAttribute("d")?.includes("L"));
  assert.match(await page.textContent("#rate"), /now, [\d.,]+ at most/);
  assert.deepEqual([page.faults, await page.evaluate(() => violations)], [[], []]);
  await page.context().close();
});

test("the keyboard alone requeues a failed task: Tab, letters and Enter", { skip }, async () => {
  const page = await dashboard();
  const [failed] = (await store.tasks({ group: "mail/out" })).filter((task) => task.failures > 0);
  await tabTo(page, "Token");
  await page.keyboard.type(ADMIN);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#groups tr:nth-child(4)");
  await tabTo(page, "mail/out");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".error:not([hidden])");
  assert.match(await page.textContent("#tasks"), /RangeError: connection to smtp\.example\.com refused/);
  await tabTo(page, `requeue task ${failed.id}`);
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    (id) => document.getElementById("said").textContent.startsWith(`Task ${id} requeued`),
    failed.id,
  );
  const after = await store.find(failed.origin);
  assert.deepEqual([after.failures, after.attempt, after.error], [0, 0, undefined]);
  // The row stays, and with it the focus.
  assert.equal(await page.evaluate(() => document.activeElement.dataset.act), "Requeue");
  assert.deepEqual([page.faults, await page.evaluate(() => violations)], [[], []]);
  await page.context().close();
});

test("a held task is released, and a task is cancelled by a second press", { skip }, async () => {
  const page = await dashboard();
  await enter(page);
  await page.click("#groups button:text-is('thumbnails')");
  await page.selectOption("#state", "held");
  await page.waitForFunction(() => document.querySelectorAll("#tasks tr").length === 9);
  const [held] = await store.tasks({ group: "thumbnails", state: "held" });
  assert.match(await page.textContent("#tasks"), new RegExp(`by owner ${held.owner}`));
  await page.click(`[aria-label='release task ${held.id}']`);
  await page.waitForFunction(() => document.querySelectorAll("#tasks tr").length === 8);
  assert.equal((await store.find(held.origin)).owner, 0);
  const [next] = await store.tasks({ group: "thumbnails", state: "held" });
  await page.click(`[aria-label='cancel task ${next.id}']`);
  assert.notEqual(await store.find(next.origin), null, "one press is not enough");
  await page.click(`[aria-label='really cancel task ${next.id}']`);
  await page.waitForFunction(() => document.querySelectorAll("#tasks tr").length === 7);
  assert.equal(await store.find(next.origin), null);
  assert.equal(await page.evaluate(() => document.activeElement.id), "group-title", "the focus is lost with the row");
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("data that would be markup is shown as text, and nothing of it runs", { skip }, async () => {
  const page = await dashboard();
  await enter(page);
  await page.click("#groups button:text-is('imports/eu-central')");
  await page.waitForSelector("#tasks tr:nth-child(3)");
  const shown = await page.$$eval("#tasks .text", (all) => all.map((one) => one.textContent));
  assert.ok(shown.includes(HOSTILE), shown.join("\n"));
  assert.equal(await page.locator("#tasks img, #tasks script").count(), 0);
  assert.deepEqual(await page.evaluate(() => [window.broken, window.violations]), [undefined, []]);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a token that may only look is told what it lacks, and none at all is asked for one", { skip }, async () => {
  const page = await dashboard();
  await page.waitForSelector("#notice:not([hidden])");
  assert.match(await page.textContent("#notice"), /token/);
  await enter(page, READER);
  await page.click("#groups button:text-is('reports')");
  await page.click("[aria-label^='requeue task']");
  await page.waitForSelector("#said.is-bad");
  assert.match(await page.textContent("#said"), /token reader has no scope/);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    test(`the dashboard is well at ${width} px, ${colorScheme}`, { skip }, async () => {
      const page = await dashboard({ viewport: { width, height: width === 390 ? 844 : 900 }, colorScheme });
      await enter(page);
      // A past for the chart.
      for (const burst of [12, 40, 25]) {
        await Promise.all(Array.from({ length: burst }, (_, n) => store.put("settings", "chart", String(n))));
        const seen = await page.textContent("#f-revision");
        await page.waitForFunction((seen) => document.getElementById("f-revision").textContent !== seen, seen);
      }
      const failing = await store.claim("mail/out");
      await store.fail(
        failing,
        "550 mailbox unavailable: the recipient's server said no, and gave this long text as its reason",
      );
      await page.click("#groups button:text-is('mail/out')");
      await page.waitForSelector(".error:not([hidden])");
      await page.screenshot({ path: join(shots, `dashboard-${width}-${colorScheme}.png`), fullPage: true });
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
      assert.deepEqual([page.faults, await page.evaluate(() => violations)], [[], []]);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run());
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(
        serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`),
        [],
      );
      await page.context().close();
    });
  }
}
