// Stores that a service holds.
import { systemClock } from "../clock.js";
import { invalid } from "../error.js";
import { identityOf } from "../identity.js";
import { optionsOf, signalOf, textArgument, whole } from "../request.js";
import { Store } from "../store.js";
import { Line } from "./line.js";
import { Remote } from "./remote.js";

const OPTIONS = ["token", "owner", "actor", "signal", "clock", "patience", "polls"];

/** The service's address, without what would stand in the way of a path. */
function baseOf(url) {
  const text = url instanceof URL ? url.href : textArgument(url, "connect");
  let base;
  try {
    base = new URL(text, globalThis.location?.href);
  } catch (cause) {
    throw invalid("connect: give the service's address, as https://tasks.example", cause);
  }
  if (base.protocol !== "http:" && base.protocol !== "https:") {
    throw invalid(`connect: ${base.protocol} is no HTTP: give the service's address, as https://tasks.example`);
  }
  if (base.username || base.password || base.search || base.hash) {
    throw invalid("connect: the address takes no user, query or fragment: give the token as an option");
  }
  return base.href.replace(/\/+$/, "");
}

function tokenOf(token) {
  if (token === undefined || typeof token === "function") return token;
  if (/[^\x20-\x7e]/.test(textArgument(token, "token"))) throw invalid("token: it has what no header can carry");
  return () => token;
}

/** Connects to a service that runs (`tenure serve`). The store that answers is used as one that was opened here. */
export async function connect(url, options) {
  const given = optionsOf(options, OPTIONS, "connect");
  const base = baseOf(url);
  // A browser has six connections for all tabs of a site, and waits must not take all of them. Elsewhere there is no such end.
  const { clock = systemClock, patience = 30_000, polls = globalThis.location === undefined ? 64 : 3 } = given;
  if (typeof clock?.now !== "function" || typeof clock.alarm !== "function") {
    throw invalid("connect: clock: give a FakeClock, or leave it out");
  }
  const signal = signalOf(given);
  const identity = identityOf(given);
  const line = new Line(base, {
    token: tokenOf(given.token),
    ...identity,
    patience: whole(patience, "patience"),
    polls: whole(polls, "polls", 1),
  });
  if (signal?.aborted) throw signal.reason;
  await line.greet(signal);
  const store = new Store(new Remote(line, clock), identity);
  store._attach(clock);
  if (signal !== undefined) {
    const end = () => store.close();
    signal.addEventListener("abort", end);
    line.ended.addEventListener("abort", () => signal.removeEventListener("abort", end));
  }
  return store;
}
