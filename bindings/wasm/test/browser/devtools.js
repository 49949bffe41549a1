// Chromium by its own protocol. Playwright makes each of its pages believe that it is in front, whatever is; tabs that are
// opened here are hidden when another comes to the front, and freeze when they are told to, as a user's are.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { executable } from "./chromium.js";

/** A tab of its own. */
class Tab {
  constructor(browser, target, session) {
    this.browser = browser;
    this.target = target;
    this.session = session;
  }

  send(method, params) {
    return this.browser.send(method, params, this.session);
  }

  /** What an expression, or the promise that it gives, comes to. */
  async evaluate(expression) {
    const asked = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails: fault } = await this.send("Runtime.evaluate", asked);
    if (fault) throw new Error(fault.exception?.description ?? fault.text);
    return result.value;
  }

  /** Comes to the front: whichever was there is hidden. */
  async front() {
    await this.browser.send("Target.activateTarget", { targetId: this.target });
  }

  async close() {
    await this.browser.send("Target.closeTarget", { targetId: this.target });
  }

  async reload() {
    await this.evaluate("window.before = true");
    await this.send("Page.reload");
    await this.browser.until(() => this.evaluate('window.before === undefined && document.readyState === "complete"'));
  }

  /** The browser freezes it, as it does with tabs that were hidden for long. */
  async freeze() {
    await this.send("Page.setWebLifecycleState", { state: "frozen" });
  }

  async thaw() {
    await this.send("Page.setWebLifecycleState", { state: "active" });
  }
}

export class Browser {
  #child;
  #folder;
  #calls = 0;
  #waiting = new Map();
  #text = "";

  static async launch(...flags) {
    const browser = new Browser();
    browser.#folder = await mkdtemp(join(tmpdir(), "tenure-chromium-"));
    const own = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--remote-debugging-pipe"];
    const args = [...own, `--user-data-dir=${browser.#folder}`, ...flags, "about:blank"];
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
    browser.#child = spawn(executable(), args, { stdio });
    browser.#child.stdio[3].on("error", () => {});
    browser.#child.stdio[4].setEncoding("utf8").on("data", (text) => browser.#take(text));
    return browser;
  }

  #take(text) {
    const messages = (this.#text + text).split("\0");
    this.#text = messages.pop();
    for (const { id, result, error } of messages.map((message) => JSON.parse(message))) {
      const call = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) call?.reject(new Error(error.message));
      else call?.resolve(result);
    }
  }

  send(method, params = {}, sessionId = undefined) {
    this.#calls += 1;
    const id = this.#calls;
    this.#child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** A tab that has loaded a page. */
  async open(url) {
    const { targetId } = await this.send("Target.createTarget", { url });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const tab = new Tab(this, targetId, sessionId);
    const loaded = `location.href === ${JSON.stringify(url)} && document.readyState === "complete"`;
    await this.until(() => tab.evaluate(loaded));
    return tab;
  }

  /** Asks until the answer is true; a tab that is between two pages has none. */
  async until(ask) {
    while (!(await ask().catch(() => false))) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async close() {
    const gone = once(this.#child, "exit");
    await Promise.race([this.send("Browser.close").catch(() => {}), gone]);
    await gone;
    await rm(this.#folder, { recursive: true, maxRetries: 5 });
  }
}
