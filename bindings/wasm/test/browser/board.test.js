// The example: how it looks, whether everyone can use it, and whether it stands still while 500 tasks run through it.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, serve } from "./chromium.js";

const shots = process.env.SHOTS ?? fileURLToPath(new URL("../../../../target/browser-shots/", import.meta.url));
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let server;
let browser;

before(async () => {
  server = await serve();
  browser = await launch();
  await mkdir(shots, { recursive: true });
});

after(async () => {
  await browser?.close();
  server?.stop();
});

async function board(context, query) {
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push(String(error)));
  await page.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(`${server.url}/examples/browser/?${query}`);
  await page.waitForSelector("html[data-ready]");
  return page;
}

for (const scheme of ["light", "dark"]) {
  for (const width of [390, 1280]) {
    test(`the board is well at ${width} px, ${scheme}`, async () => {
      const viewport = { width, height: width === 390 ? 844 : 900 };
      const context = await browser.newContext({ viewport, colorScheme: scheme });
      const page = await board(context, `store=look-${scheme}-${width}&name=otter-07`);
      const other = await board(context, `store=look-${scheme}-${width}&name=heron-42`);
      await page.fill("input[name=many]", "14");
      await page.click("#add button");
      await page.waitForFunction(() => document.getElementById("said").textContent.startsWith("14"));
      await page.click("[aria-label='Claim one of thumbnails']");
      await page.click("[aria-label='Claim one of thumbnails']");
      await other.click("[aria-label='Claim one of thumbnails']");
      await other.click("[aria-label='Pause mail']");
      await page.click("[aria-label^='Fail photo']");
      await page.waitForFunction(() => document.getElementById("held-count").textContent === "2");
      await page.waitForFunction(() => document.querySelectorAll(".group.is-paused").length === 1);
      await page.screenshot({ path: join(shots, `board-${width}-${scheme}.png`), fullPage: true });
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run());
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(
        serious.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`),
        [],
      );
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "it scrolls sideways");
      assert.deepEqual([...page.faults, ...other.faults], []);
      await context.close();
    });
  }
}

test("500 tasks run through 4 tabs without a shift, and one that is killed holds up nothing", async () => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const pages = [];
  for (const name of ["otter-1", "heron-2", "lynx-3", "hare-4"])
    pages.push(await board(context, `store=run&name=${name}`));
  for (const page of pages) await page.check("#work");
  await pages[0].fill("input[name=many]", "500");
  await pages[0].click("#add button");
  await pages[0].waitForFunction(() => Number(document.getElementById("done").textContent) > 20);
  await pages[3].click("#kill");
  await pages[3].waitForURL(/killed/);
  await pages[0].waitForFunction(() => Number(document.getElementById("done").textContent) > 60);
  for (const page of pages.slice(0, 3)) {
    assert.ok(
      (await page.evaluate(() => window.shift)) < 0.001,
      `the page shifted by ${await page.evaluate(() => window.shift)}`,
    );
    assert.deepEqual(page.faults, []);
  }
  await context.close();
});
