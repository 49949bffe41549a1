// Who a handle is: a number by which it claims, and a label for those who look.
import { textArgument, whole } from "./request.js";

export function random64() {
  return crypto.getRandomValues(new BigUint64Array(1))[0];
}

/** A number below 2^53 that no other handle will have. */
function randomOwner() {
  return Number(random64() >> 11n) || 1;
}

function defaultActor() {
  const where = globalThis.location?.host || (globalThis.process?.pid ? `node:${process.pid}` : "browser");
  return `${where}:${random64().toString(16).slice(0, 4)}`;
}

/** Owner and actor as the options name them, or drawn at random. */
export function identityOf({ owner, actor }) {
  return {
    owner: owner === undefined ? randomOwner() : whole(owner, "owner", 1),
    actor: actor === undefined ? defaultActor() : textArgument(actor, "actor"),
  };
}
