// One class for each kind of the core's catalogue, and one for a lost claim.

/** What every error of Tenure is. */
export class TenureError extends Error {
  static kind = "internal";

  constructor(message, { code, outcome = "not_started", retry = "no", details = {}, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = new.target.kind;
    this.code = code ?? this.kind;
    this.outcome = outcome;
    this.retry = retry;
    this.details = details;
  }

  get name() {
    return this.constructor.name;
  }
}

export class Rejected extends TenureError {
  static kind = "rejected";
}
/** The claim is no longer yours: discard the result and claim again. */
export class LeaseLost extends Rejected {}
export class Fenced extends TenureError {
  static kind = "fenced";
}
export class NotFound extends TenureError {
  static kind = "not_found";
}
export class Invalid extends TenureError {
  static kind = "invalid";
}
export class Full extends TenureError {
  static kind = "full";
}
export class Timeout extends TenureError {
  static kind = "timeout";
}
export class Unavailable extends TenureError {
  static kind = "unavailable";
}
export class Unknown extends TenureError {
  static kind = "unknown";
}
export class Corrupt extends TenureError {
  static kind = "corrupt";
}
export class Closed extends TenureError {
  static kind = "closed";
}
export class Internal extends TenureError {
  static kind = "internal";
}

export const classes = [
  Rejected,
  Fenced,
  NotFound,
  Invalid,
  Full,
  Timeout,
  Unavailable,
  Unknown,
  Corrupt,
  Closed,
  Internal,
];
const byKind = new Map(classes.map((one) => [one.kind, one]));

// Exceptions of a user's own journal on their way through the core, by number.
const thrown = new Map();
let exceptions = 0;

/** Keeps an exception while the core speaks of it. */
export function keep(exception) {
  exceptions = (exceptions % 0xffff_ffff) + 1;
  thrown.set(exceptions, exception);
  // Only the last ones can still be spoken of.
  thrown.delete(exceptions - 1024);
  return exceptions;
}

/**
 * The exception for an error of the core. What a user's own journal threw comes out unchanged, unless it leaves open
 * whether the transaction was written: then it is the cause of an `Unknown`.
 */
export function outward(parts) {
  if (!Array.isArray(parts)) return panicked(parts);
  const { kind, code, message, outcome, retry, details } = JSON.parse(parts[0]).error;
  const cause = parts.length > 1 ? thrown.get(parts[1]) : undefined;
  if (cause !== undefined && code === "foreign") return cause;
  return new (classOf(kind, code))(message, { code, outcome, retry, details, cause });
}

/** The class of an error of this kind; `undefined` where there is no such kind. */
export function classOf(kind, code) {
  return code === "lease_lost" ? LeaseLost : byKind.get(kind);
}

/** The module itself failed: nobody should see how. */
function panicked(cause) {
  if (cause instanceof TenureError) return cause;
  const message = "Tenure failed inside; close the store, open it again, and report this with what led to it";
  return new Internal(message, { outcome: "unknown", cause });
}

/** Calls into the core. */
export function call(run) {
  try {
    return run();
  } catch (error) {
    throw outward(error);
  }
}

export function invalid(message, cause) {
  return new Invalid(message, { code: "invalid", cause });
}

export function closed() {
  return new Closed("the store was closed: open it again");
}

export function cancelled(signal) {
  const cause = signal?.reason;
  return new Timeout("the wait was cancelled; nothing is held by it", { code: "cancelled", cause });
}
