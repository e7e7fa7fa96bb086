// Open alerts by id: how they change, their order and their counts.
import { isChattering, isFire, isHeld, isTesting } from "./marks.js";
import { asAlert, covers, eventMsOf, idOfKey, isProvisional } from "./provisional.js";

export { isFire };

/** @typedef {Record<string, any> & {id: string, priority: number, state: string, raisedMs: number}} Alert */
/** @typedef {{added: Alert[], changed: Alert[], removed: Alert[], roused: Alert[]}} Change */

export const PRIORITIES = [1, 2, 3, 4];
const TOMBSTONES = 500;

/** Nobody has acknowledged it, whether or not the device returned to normal. */
export const isUnacknowledged = (alert) => alert.state === "unacknowledged" || alert.state === "returned";

/** It waits for an operator: it flashes, sounds and counts as 未受理. A held alert does not; a fire is never held. */
export const demands = (alert) => isUnacknowledged(alert) && !isHeld(alert);

/** Ids are decimal strings of any length. */
const compareIds = (a, b) => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);

/** The order but for time and id, as one number; kept with the alert, for ten thousand are sorted in a frame. */
const rankOf = (alert) =>
  alert.priority * 16 + (isProvisional(alert) ? 0 : 8) + (isTesting(alert) ? 4 : 0) + (demands(alert) ? 0 : 2) + (isFire(alert) ? 0 : 1);

/**
 * Queue order: priority, then not stored yet, then real before an announced test, then waiting for acknowledgement, then fires before
 * others, then newest; an acknowledged fire never sinks below a notice.
 */
export function compareAlerts(a, b) {
  return (a.rank ?? rankOf(a)) - (b.rank ?? rankOf(b)) || b.raisedMs - a.raisedMs || compareIds(b.id, a.id);
}

/** `raisedMs`: since when it is here; one that had to wait for the store does not become young by being stored. */
const received = (alert) => ({ ...alert, raisedMs: Date.parse(alert.received_at ?? alert.raised_at), rank: rankOf(alert) });

/** It asks for attention again although it was known: occurred again, rose, or lost its acknowledgement. */
function rouses(held, next) {
  if (!demands(next)) return false;
  if (!held || next.occurrences > held.occurrences || next.priority < held.priority) return true;
  return !demands(held) || (isTesting(held) && !isTesting(next));
}

export class AlarmStore {
  /** `silenced(alert)`: whether this seat's operator has acknowledged it and the store could not take that yet. */
  constructor({ silenced = (/** @type {any} */ _alert) => false } = {}) {
    this.silenced = silenced;
    /** @type {Map<string, Alert>} */
    this.open = new Map();
    /** @type {Map<string, number>} version at which an alert closed, so that a late answer does not bring it back */
    this.closed = new Map();
    /** @type {Map<string, any>} what the store could not take yet, by id */
    this.provisional = new Map();
    /** @type {Map<string, any>} those of them that no open alert says already */
    this.visible = new Map();
    /** @type {Set<string>} chattering alerts that do not sound again while they are said to chatter */
    this.quiet = new Set();
    this.tally = new Tally();
    /** The open alerts in front of the operator in order, and the ids of those that changed since. */
    this.order = /** @type {Alert[]} */ ([]);
    /** @type {Set<string>} */
    this.moved = new Set();
  }

  keep(next) {
    this.drop(next.id);
    this.open.set(next.id, next);
    this.tally.note(next, 1);
    this.moved.add(next.id);
  }

  drop(id) {
    const held = this.open.get(id);
    if (!held) return;
    this.open.delete(id);
    this.tally.note(held, -1);
    this.moved.add(id);
  }

  /** Takes the whole list of provisional alarms. @returns {Change} */
  setProvisional(list) {
    this.provisional = new Map(list.map((raw) => [idOfKey(raw.key), asAlert(raw)]));
    const before = this.visible;
    this.cover();
    /** @type {Change} */
    const change = { added: [], changed: [], removed: [], roused: [] };
    for (const [id, next] of this.visible) {
      const held = before.get(id);
      if (!held) change.added.push(next);
      else if (held.priority !== next.priority || held.eventMs !== next.eventMs) change.changed.push(next);
      if (!held || next.priority < held.priority || (isFire(next) && next.eventMs > held.eventMs)) change.roused.push(next);
    }
    for (const [id, held] of before) if (!this.visible.has(id)) change.removed.push(held);
    return change;
  }

  /** Finds out which provisional alarms are to be seen. */
  cover() {
    this.visible = new Map();
    if (!this.provisional.size) return;
    const byKey = new Map([...this.open.values()].map((alert) => [alert.key, alert]));
    for (const [id, alarm] of this.provisional) {
      const stored = byKey.get(alarm.key);
      if (!stored || !covers(stored, alarm, demands(stored) && !this.silenced(stored))) this.visible.set(id, alarm);
    }
  }

  /** It was already in sight as a provisional alarm: that it is stored now is no news. */
  announced(next) {
    const known = this.visible.get(idOfKey(next.key));
    return known !== undefined && next.priority >= known.priority && eventMsOf(next) <= known.eventMs;
  }

  /** Takes a snapshot: what it does not hold is gone, and its word goes over ours. @returns {Change} */
  replace(alerts) {
    const before = this.open;
    this.open = new Map();
    this.tally = new Tally();
    this.order = [];
    this.closed.clear();
    const quiet = this.quiet;
    this.quiet = new Set();
    /** @type {Change} */
    const change = { added: [], changed: [], removed: [], roused: [] };
    for (const raw of alerts) {
      if (raw.state === "closed") continue;
      const next = received(raw);
      const held = before.get(next.id);
      this.keep(next);
      if (quiet.has(next.id)) this.quiet.add(next.id);
      this.quieten(held, next);
      if (!held) change.added.push(next);
      else if (held.version !== next.version) change.changed.push(next);
      if (rouses(held, next) && !this.announced(next) && !this.quiet.has(next.id)) change.roused.push(next);
    }
    for (const [id, held] of before) if (!this.open.has(id)) change.removed.push(held);
    this.cover();
    return change;
  }

  /** Takes changed alerts by id, from the feed or from an answer; older versions than ours are ignored. @returns {Change} */
  merge(alerts) {
    /** @type {Change} */
    const change = { added: [], changed: [], removed: [], roused: [] };
    for (const raw of alerts) {
      const next = received(raw);
      const held = this.open.get(next.id);
      if (held && (next.version < held.version || (next.version === held.version && next.repeats < held.repeats))) continue;
      if (!held && next.version <= (this.closed.get(next.id) ?? -1)) continue;
      if (next.state === "closed") {
        this.drop(next.id);
        this.quiet.delete(next.id);
        this.bury(next);
        change.removed.push(next);
        continue;
      }
      this.closed.delete(next.id);
      this.keep(next);
      this.quieten(held, next);
      (held ? change.changed : change.added).push(next);
      if (rouses(held, next) && !this.announced(next) && !this.quiet.has(next.id)) change.roused.push(next);
    }
    this.cover();
    return change;
  }

  /** 频繁跳变: what sounds already goes on until it is acknowledged; it does not begin again, unless its priority rises. */
  quieten(held, next) {
    const sounding = held && demands(held) && !this.quiet.has(next.id);
    if (!isChattering(next) || (held && next.priority < held.priority)) this.quiet.delete(next.id);
    else if (!sounding || !demands(next)) this.quiet.add(next.id);
  }

  /** @param {Alert} alert */
  bury(alert) {
    this.closed.set(alert.id, alert.version);
    if (this.closed.size > TOMBSTONES) this.closed.delete(this.closed.keys().next().value);
  }

  /** Everything open, the held ones too. */
  *all() {
    yield* this.visible.values();
    yield* this.open.values();
  }

  /** Everything in front of the operator. */
  queue() {
    return [...this.all()].filter((alert) => !isHeld(alert));
  }

  /** @returns {Alert[]} the queue, in its order; not to be changed, for what did not change is taken over from the one before */
  sorted() {
    if (this.moved.size) {
      const fresh = [...this.moved].flatMap((id) => this.open.get(id) ?? []).filter((alert) => !isHeld(alert));
      this.order = merged(this.order.filter((alert) => !this.moved.has(alert.id)), fresh.sort(compareAlerts));
      this.moved.clear();
    }
    return this.visible.size ? merged(this.order, [...this.visible.values()].sort(compareAlerts)) : this.order;
  }

  /** @returns {Alert[]} out of the queue for a time: the one that comes back first on top */
  held() {
    if (!this.tally.held && !this.visible.size) return [];
    const end = (alert) => (alert.held_until ? Date.parse(alert.held_until) : Infinity);
    return [...this.all()].filter(isHeld).sort((a, b) => end(a) - end(b) || compareAlerts(a, b));
  }

  /** @returns {Record<number, {open: number, waiting: number}>} by priority */
  counts() {
    return this.tallied().counts();
  }

  /** How many are out of the queue by each hold, and how many of the queue belong to an announced test. */
  asides() {
    return { ...this.tallied().asides };
  }

  /** What is open, and what is not stored yet beside it. */
  tallied() {
    if (!this.visible.size) return this.tally;
    const all = this.tally.copy();
    for (const alarm of this.visible.values()) all.note(alarm, 1);
    return all;
  }

  /** Most urgent priority that sounds for the operator of this seat; 0 when none does. `testing`: of announced tests instead. */
  demand(testing = false) {
    const most = this.tallied().most(testing);
    let worst = 0;
    if (!most) return worst;
    for (const alert of this.all()) {
      if (worst && alert.priority >= worst) continue;
      if (demands(alert) && isTesting(alert) === testing && !this.quiet.has(alert.id) && !this.silenced(alert)) worst = alert.priority;
      if (worst === most) break;
    }
    return worst;
  }
}

/** Two lists in queue order made into one. */
function merged(long, short) {
  if (!short.length) return long;
  const all = [];
  let at = 0;
  for (const alert of short) {
    while (at < long.length && compareAlerts(long[at], alert) <= 0) all.push(long[at++]);
    all.push(alert);
  }
  while (at < long.length) all.push(long[at++]);
  return all;
}

/** How many alerts there are of each sort, kept while they come and go: sixty thousand are not counted for each that changes. */
class Tally {
  constructor() {
    this.open = [0, 0, 0, 0, 0];
    this.waiting = [[0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]; // not of an announced test, and of one
    this.asides = { shelved: 0, suppressed: 0, out_of_service: 0, in_test: 0 };
    this.held = 0;
  }

  copy() {
    const { open, waiting, asides, held } = this;
    return Object.assign(new Tally(), { open: [...open], waiting: waiting.map((each) => [...each]), asides: { ...asides }, held });
  }

  note(alert, by) {
    if (isHeld(alert)) {
      this.asides[alert.hold] += by;
      this.held += by;
      return;
    }
    const testing = isTesting(alert);
    this.open[alert.priority] += by;
    if (demands(alert)) this.waiting[Number(testing)][alert.priority] += by;
    if (testing) this.asides.in_test += by;
  }

  counts() {
    const [real, testing] = this.waiting;
    return Object.fromEntries(PRIORITIES.map((priority) => [priority, { open: this.open[priority], waiting: real[priority] + testing[priority] }]));
  }

  /** Most urgent priority that waits; 0 when nothing does. */
  most(testing) {
    return PRIORITIES.find((priority) => this.waiting[Number(testing)][priority] > 0) ?? 0;
  }
}

/** Counts alarms raised within ten minutes; more than ten are a flood 报警潮 (ISA-18.2, one operator). */
export class FloodMeter {
  static WINDOW_MS = 600_000;
  static LIMIT = 10;

  constructor() {
    /** @type {Map<string, {raisedMs: number, priority: number}>} */
    this.raised = new Map();
  }

  /** @param {Alert[]} alerts */
  note(alerts) {
    for (const { id, raisedMs, priority } of alerts) this.raised.set(id, { raisedMs, priority });
  }

  /** @returns {{count: number, worst: number, first: number, latest: number} | null} null while there is no flood */
  read(nowMs) {
    let count = 0;
    let worst = 4;
    let first = Infinity;
    let latest = 0;
    for (const [id, { raisedMs, priority }] of this.raised) {
      if (raisedMs < nowMs - FloodMeter.WINDOW_MS) {
        this.raised.delete(id);
        continue;
      }
      count += 1;
      worst = Math.min(worst, priority);
      first = Math.min(first, raisedMs);
      latest = Math.max(latest, raisedMs);
    }
    return count > FloodMeter.LIMIT ? { count, worst, first, latest } : null;
  }
}
