// Chromium, and a server for the package's own files, for the tests that need a real browser.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

const EMPTY = '<!doctype html><html lang="en"><meta charset="utf-8"><title>empty</title></html>';

/** Serves the repository's files, and an empty page as /empty. */
export function serve() {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    try {
      const content =
        path === "/empty" ? EMPTY : await readFile(join(root, path.endsWith("/") ? `${path}index.html` : path));
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/html", "cache-control": "no-store" });
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve({ url: `http://localhost:${server.address().port}`, stop: () => server.close() });
    });
  });
}

export function executable() {
  const named = process.env.CHROMIUM;
  const known = [named, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = known.find((path) => path && existsSync(path));
  if (found) return found;
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    const { stdout } = spawnSync("which", [name], { encoding: "utf8" });
    if (stdout?.trim()) return stdout.trim();
  }
  // What playwright installs by itself.
  return chromium.executablePath();
}

export function launch() {
  // Each tab a process of its own, so that one that stands still holds up no other.
  const alone = ["--renderer-process-limit=64", "--disable-features=ProcessPerSiteUpToMainFrameThreshold"];
  const args = ["--no-sandbox", "--disable-dev-shm-usage", ...alone];
  return chromium.launch({ executablePath: executable(), args, headless: true });
}

/** A page on an empty document that has the package as `tenure`. */
export async function tab(context, url) {
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await enter(page, url);
  return page;
}

async function enter(page, url) {
  await page.goto(`${url}/empty`);
  await page.evaluate(async () => {
    window.tenure = await import("/bindings/wasm/js/index.js");
  });
}
