// One class for each kind of the catalogue, and one for a lost claim.

export type Outcome = 'refused' | 'not_started' | 'unknown'
export type Retry = 'no' | 'later' | 'with_same_request_id'
export type Kind =
  | 'rejected'
  | 'fenced'
  | 'not_found'
  | 'invalid'
  | 'full'
  | 'timeout'
  | 'unavailable'
  | 'unknown'
  | 'corrupt'
  | 'closed'
  | 'internal'

/** What every error of Tenure is. Its class says what to do, its code is stable. */
export class TenureError extends Error {
  /** The stable name of the cause. */
  code: string
  /** What the caller should do. */
  kind: Kind
  /** Whether anything was written. */
  outcome: Outcome
  /** Whether, and how, to try again. */
  retry: Retry
  /** Every reason for a refusal, by its sort. */
  // biome-ignore lint/suspicious/noExplicitAny: each sort of reason has its own fields.
  details: { [sort: string]: any[] }
}
/** The state did not allow it: look at the details, then decide. */
export class Rejected extends TenureError {}
/** The claim is no longer yours: discard the result and claim again. */
export class LeaseLost extends Rejected {}
/** Another author owns the store, or it is another store by now: stop. */
export class Fenced extends TenureError {}
/** It is not there. */
export class NotFound extends TenureError {}
/** The call itself is wrong: mend it. */
export class Invalid extends TenureError {}
/** A limit of the store is reached: finish or delete, or raise the limit. */
export class Full extends TenureError {}
/** It took longer than allowed. */
export class Timeout extends TenureError {}
/** The storage failed: try later. */
export class Unavailable extends TenureError {}
/** It may or may not be committed: repeat it with the same request id. */
export class Unknown extends TenureError {}
/** The journal is damaged: restore, or repair. */
export class Corrupt extends TenureError {}
/** This handle is closed: open another. */
export class Closed extends TenureError {}
/** A fault of Tenure: report it. */
export class Internal extends TenureError {}
