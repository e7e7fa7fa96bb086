// What is said of an alert beside its state: held, in an announced test, chattering, stale; and how far a fire has come.

/** Ids of words the server puts on an alert. */
const has = (alert, flag) => alert.flags?.includes(flag) ?? false;

export const isFire = (alert) => alert.class === "fire";

/** Out of the queue, with a reason and mostly an end. A fire never is, whatever is said of it. */
export const isHeld = (alert) => alert.hold !== "none" && !isFire(alert);

/** Nobody has acknowledged it, whether or not the device returned to normal. */
export const isUnacknowledged = (alert) => alert.state === "unacknowledged" || alert.state === "returned";

/** It waits for an operator: it flashes, sounds and counts as 未受理. A held alert does not; a fire is never held. */
export const demands = (alert) => isUnacknowledged(alert) && !isHeld(alert);

/** 测试中: raised inside an announced test and not treated as real. */
export const isTesting = (alert) => has(alert, "in_test");

/** 频繁跳变: told of once. A fire is told of every time. */
export const isChattering = (alert) => has(alert, "chattering") && !isFire(alert);

const STALE_MS = 86_400_000;

/** 滞留: in front of the operator for more than a day. */
export const isStale = (alert, nowMs) => alert.state !== "closed" && nowMs - alert.raisedMs > STALE_MS;

/** 119 is to come: it was forwarded, and that was not cancelled 撤警 since. */
export const isForwarded = (alert) => Boolean(alert.forwarded_at) && !alert.handover?.cancel;

/** Whether anything can be wrong between us and 119 about it at all: the others need not be looked at. */
export const mayConcern119 = (alert) => Boolean(alert.forwarded_at) || Boolean(alert.handover);

const RECEIPT_MS = 10_000;

/** Forwarded, and nobody at 119 has taken it so far. */
export const awaitsReceipt = (alert) => alert.state !== "closed" && isForwarded(alert) && !alert.receipted_at;

/** From when on a missing receipt is red on every seat, ms: what was refused at once, and what is not told by an interface after ten seconds. */
export function redFrom(alert) {
  if (!alert.handover) return Date.parse(alert.forwarded_at) + RECEIPT_MS;
  return Date.parse(alert.handover.state === "failed" ? alert.handover.since : alert.handover.due_at);
}

export const STEPS = ["acknowledge", "verify", "forward", "receipt", "close"];

const CLOCK = { acknowledge: "acknowledged_at", verify: "verified_at", forward: "forwarded_at", receipt: "receipted_at", close: "closed_at" };

const taken = (alert) => alert.state === "acknowledged" || alert.state === "closed";

/** What a fire needs next, a step or `cancel`; null when it is closed. */
export function nextStep(alert) {
  if (alert.state === "closed") return null;
  if (!taken(alert)) return "acknowledge";
  if (!alert.verification && !isForwarded(alert)) return "verify";
  if (alert.verification === "false") return isTold(alert) ? "cancel" : "close";
  if (!isForwarded(alert)) return alert.handover?.cancel ? "verify" : "forward"; // cancelled: it was no fire, or is one after all
  return alert.receipted_at ? "close" : "receipt";
}

/** Whether a step that has a time stands still. */
const STANDS = { acknowledge: taken, verify: () => true, forward: isForwarded, receipt: isForwarded, close: (alert) => alert.state === "closed" };

/** 119 was told through the interface and may be on their way. */
export const isTold = (alert) => Boolean(alert.handover) && !alert.handover.cancel;

/** What 119 would be on its way for nothing. */
const NOBODY_NEEDED = new Set(["false_alarm", "test", "drill", "maintenance"]);

/** The steps of a fire in order: `at` when it was done last, `spare` where a false alarm does not need it. */
export function stepsOf(alert) {
  const next = nextStep(alert);
  const isFalse = alert.verification === "false" && !isForwarded(alert);
  return STEPS.map((name) => {
    const at = alert[CLOCK[name]];
    const done = Boolean(at) && STANDS[name](alert);
    return { name, done, at: done ? Date.parse(at) : null, next: name === next, spare: isFalse && (name === "forward" || name === "receipt") };
  });
}

/** What a disposition still needs before the alert can be closed with it: steps, and `call_back` outside a window. */
export function missingFor(alert, disposition) {
  const missing = [];
  if (isFire(alert) && !taken(alert)) missing.push("acknowledge");
  const contradicted = (disposition === "real_fire" && alert.verification === "false") || (["false_alarm", "test", "drill"].includes(disposition) && alert.verification === "real");
  if (contradicted) missing.push("verify");
  if (disposition === "real_fire") {
    if (!isForwarded(alert)) missing.push("forward");
    if (!alert.receipted_at) missing.push("receipt");
  }
  if (NOBODY_NEEDED.has(disposition) && isTold(alert)) missing.push("cancel");
  return missing;
}

const VOUCHES = { test: ["in_test", "during_test", "after_test"], drill: ["in_drill", "after_drill"] };

/** A test or drill that no announced window vouches for is vouched for by a named call-back 电话回核. */
export const needsCallBack = (alert, disposition) =>
  disposition in VOUCHES && !VOUCHES[disposition].some((flag) => has(alert, flag));

/** Classes of which 119 is told; a fire seen beside anything else is reported as one. */
const FORWARDED = new Set(["fire", "prealarm", "hazard", "unreadable"]);
export const isForwardable = (alert) => FORWARDED.has(alert.class);
