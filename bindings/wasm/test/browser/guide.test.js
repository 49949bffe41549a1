// The guide's programs for the browser run as they stand, in Chromium, and say what stands behind them.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { launch, serve } from "./chromium.js";

const page = await readFile(new URL("../../../../docs/guide/browser.md", import.meta.url), "utf8");
const programs = page.split("\n## ").flatMap((section) => {
  const blocks = [...section.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));
  return blocks.flatMap(({ language, text }, at) =>
    language === "js" ? [{ name: section.split("\n")[0], text, output: blocks[at + 1]?.text }] : [],
  );
});
const [, imports] = /<script type="importmap">(.*)<\/script>/.exec(page);

let server;
let browser;

before(async () => {
  server = await serve();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.stop();
});

test("the guide has the six commonest programs", () => {
  assert.equal(programs.length, 6);
});

for (const { name, text, output } of programs) {
  test(`${name}, in the browser`, async () => {
    const context = await browser.newContext();
    const tab = await context.newPage();
    const said = [];
    tab.on("console", (message) => message.type() === "log" && said.push(message.text()));
    tab.on("pageerror", (error) => said.push(String(error)));
    await tab.goto(`${server.url}/empty`);
    await tab.evaluate(
      ([imports, text]) => {
        const put = (type, content) => {
          const script = document.createElement("script");
          script.type = type;
          script.textContent = content;
          document.head.append(script);
        };
        put("importmap", imports);
        put("module", `${text}\nwindow.ended = true;`);
      },
      [imports, text],
    );
    await tab.waitForFunction(() => window.ended, undefined, { timeout: 60_000 }).catch(() => {});
    assert.equal(`${said.join("\n")}\n`, output);
    await context.close();
  });
}
