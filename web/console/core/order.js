// The order of the queue, kept while alerts come and go: of sixty thousand that stand still none is looked at again.
import { demands, isFire, isHeld, isTesting } from "./marks.js";
import { isProvisional } from "./provisional.js";

/** @typedef {import("./alarms.js").Alert} Alert */

/** Ids are decimal strings of any length. */
const compareIds = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

/** The order but for time and id, as one number; kept with the alert, for ten thousand are sorted in a frame. */
export const rankOf = (alert) =>
  alert.priority * 16 + (isProvisional(alert) ? 0 : 8) + (isTesting(alert) ? 4 : 0) + (demands(alert) ? 0 : 2) + (isFire(alert) ? 0 : 1);

/**
 * Queue order: priority, then not stored yet, then real before an announced test, then waiting for acknowledgement, then fires before
 * others, then newest; an acknowledged fire never sinks below a notice.
 */
export function compareAlerts(a, b) {
  return (a.rank ?? rankOf(a)) - (b.rank ?? rankOf(b)) || b.raisedMs - a.raisedMs || compareIds(b.id, a.id);
}

const endOf = (alert) => (alert.held_until ? Date.parse(alert.held_until) : Infinity);

/** Of those that are held: the one that comes back first on top. */
export const compareHeld = (a, b) => endOf(a) - endOf(b) || compareAlerts(a, b);

/** The queue, and after it what is held. */
export function compareAll(a, b) {
  const held = isHeld(a);
  if (held !== isHeld(b)) return held ? 1 : -1;
  return held ? compareHeld(a, b) : compareAlerts(a, b);
}

/**
 * Where something stands in a list in order, or would, from `from` on; near it is found sooner: what is fresh mostly stands together.
 * @template T @param {T[]} list @param {T} one @param {number} from @param {(a: T, b: T) => number} compare
 */
function placeIn(list, one, from, compare) {
  let [low, high, step] = [from, from, 1];
  while (high < list.length && compare(list[high], one) < 0) {
    low = high + 1;
    high += step;
    step *= 2;
  }
  high = Math.min(high, list.length);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(list[middle], one) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * A list in order without `gone`, which stand in it, and with `fresh`; both are put in order.
 * @template T @param {T[]} list @param {T[]} gone @param {T[]} fresh @param {(a: T, b: T) => number} compare
 */
export function woven(list, gone, fresh, compare) {
  const all = /** @type {T[]} */ ([]);
  let from = 0;
  let cut = 0;
  gone.sort(compare);
  let next = gone.length ? placeIn(list, gone[0], 0, compare) : -1;
  const copy = (to) => {
    for (; from < to; from += 1) {
      if (from !== next) {
        all.push(list[from]);
        continue;
      }
      cut += 1;
      next = cut < gone.length ? placeIn(list, gone[cut], from + 1, compare) : -1;
    }
  };
  for (const one of fresh.sort(compare)) {
    copy(placeIn(list, one, from, compare));
    all.push(one);
  }
  copy(list.length);
  return all;
}

/** What went and what came between two lists: by what stands in both, so that of sixty thousand that stand still none is looked into. */
export function between(/** @type {Alert[]} */ before, /** @type {Alert[]} */ after, compare = compareAlerts) {
  const gone = /** @type {Alert[]} */ ([]);
  const fresh = /** @type {Alert[]} */ ([]);
  let [i, j] = [0, 0];
  while (i < before.length && j < after.length) {
    const [old, now] = [before[i], after[j]];
    const which = old === now ? 0 : compare(old, now);
    if (old !== now && which <= 0) gone.push(old);
    if (old !== now && which >= 0) fresh.push(now);
    if (which <= 0) i += 1;
    if (which >= 0) j += 1;
  }
  for (; i < before.length; i += 1) gone.push(before[i]);
  for (; j < after.length; j += 1) fresh.push(after[j]);
  return { gone, fresh };
}

export class QueueOrder {
  constructor() {
    /** @type {Alert[]} not to be changed: what a painting shows stays as it was */
    this.alerts = [];
    /** @type {Map<string, Alert | null>} by id, how those that changed since stand in `alerts`; null: not at all */
    this.moved = new Map();
  }

  /** An alert comes, goes or changes; `stood`: as it was in the queue so far, null where it was not. */
  moves(id, stood) {
    if (!this.moved.has(id)) this.moved.set(id, stood);
  }

  /** `find`: an alert of the queue as it is now, null where it is not in it. */
  sorted(/** @type {(id: string) => Alert | null} */ find) {
    if (!this.moved.size) return this.alerts;
    const gone = [...this.moved.values()].flatMap((alert) => alert ?? []);
    const fresh = [...this.moved.keys()].flatMap((id) => find(id) ?? []);
    this.alerts = woven(this.alerts, gone, fresh, compareAlerts);
    this.moved.clear();
    return this.alerts;
  }
}
