// What went wrong on the way to a service, or there, as the errors that an embedded store has.
import { classOf, Invalid, Unavailable, Unknown } from "../error.js";

/** Answers after which the same request may fare better, whoever gave them: a service that is full or stopping, a proxy. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

/** The error that an answer tells of, and whether it is worth the same request again. */
export function problemOf(response, body, changes) {
  const { status } = response;
  const { kind, code, detail, outcome, retry, details } = body ?? {};
  const Class = classOf(kind, code);
  if (Class !== undefined) {
    const error = new Class(detail, { code, outcome, retry, details });
    // The store's own refusals are for the caller; what leaves it open, and a service that ends, are asked again.
    return { error, again: retry === "with_same_request_id" || kind === "closed" };
  }
  const said = detail ?? `the answer was ${status} ${response.statusText}`.trimEnd();
  if (!PASSING.has(status)) return { error: new Invalid(said, { code: code ?? "invalid" }), again: false };
  // One that is no problem of the service came from something in between, and says nothing of what was done.
  if (code === undefined && changes) return { error: unknown(said), again: true };
  return { error: new Unavailable(said, { code: code ?? "unavailable", retry: "later" }), again: true };
}

function unknown(why, cause) {
  const message = `${why}: whether it was committed is unknown; repeat it with the same request id`;
  return new Unknown(message, { outcome: "unknown", retry: "with_same_request_id", cause });
}

/** The error of a request that may have been committed at a time of which the store can't tell any more. */
export function forgotten({ message }) {
  return new Unknown(message, { outcome: "unknown", retry: "no" });
}

/** The error of a request that had no answer. */
export function silence(base, cause, changes) {
  const why = `no answer from ${base}: ${cause?.cause?.message || cause?.message || "the connection failed"}`;
  if (changes) return unknown(why, cause);
  return new Unavailable(`${why}; try again`, { code: "unavailable", retry: "later", cause });
}

/** The same where a service was never reached. */
export function unreached(base, cause) {
  const here = globalThis.location?.origin;
  const next =
    here === undefined || here === "null" || base.startsWith(`${here}/`) || base === here
      ? "is it running (tenure serve)?"
      : `is it running, and does it let pages of ${here} call (tenure serve --allow-origin ${here})?`;
  return new Unavailable(`can't reach ${base}: ${next}`, { code: "unavailable", retry: "later", cause });
}

/** The error where something else answers. */
export function stranger(base) {
  return new Invalid(`${base} is no service of Tenure: give the address that tenure serve names`, { code: "invalid" });
}
