// Open alerts by id: how they change, their order and their counts.
import { Groups } from "./groups.js";
import { demands, isChattering, isFire, isHeld, isTesting, mayConcern119 } from "./marks.js";
import { QueueOrder, compareHeld, rankOf } from "./order.js";
import { asAlert, covers, eventMsOf, idOfKey, saysTheSame } from "./provisional.js";
import { PRIORITIES, Tally } from "./tally.js";

/** @typedef {Record<string, any> & {id: string, priority: number, state: string, raisedMs: number}} Alert */
/** @typedef {{added: Alert[], changed: Alert[], removed: Alert[], roused: Alert[]}} Change */

/** More than a storm closes while an answer is on its way. */
const TOMBSTONES = 20_000;

/**
 * The very object that was told becomes ours: a copy of its sixty members takes ten times as long as all the rest, and twice the memory.
 * `raisedMs`: since when it is here; one that had to wait for the store does not become young by being stored.
 */
function received(alert) {
  alert.raisedMs = Date.parse(alert.received_at ?? alert.raised_at);
  alert.rank = rankOf(alert);
  return alert;
}

const provisionally = (raw) => {
  /** @type {any} */
  const alarm = asAlert(raw);
  alarm.rank = rankOf(alarm);
  return alarm;
};

/** It asks for attention again although it was known: occurred again, rose, or lost its acknowledgement. */
function rouses(held, next) {
  if (!demands(next)) return false;
  if (!held || next.occurrences > held.occurrences || next.priority < held.priority) return true;
  return !demands(held) || (isTesting(held) && !isTesting(next));
}

export class AlarmStore {
  /**
   * `silenced(alert)`: whether this seat's operator has acknowledged it and the store could not take that yet; `silencing()`: what
   * that is found in, another one whenever it changed.
   */
  constructor({ silenced = (/** @type {any} */ _alert) => false, silencing = () => /** @type {any} */ (null) } = {}) {
    this.silenced = silenced;
    this.silencing = silencing;
    this.covering = silencing();
    /** @type {Map<string, Alert>} */
    this.open = new Map();
    /** @type {Map<string, number>} version at which an alert closed, so that a late answer does not bring it back */
    this.closed = new Map();
    /** @type {Map<string, {raw: any, alarm: any}>} what the store could not take yet, by id: as it was told, and as an alert */
    this.provisional = new Map();
    /** @type {Set<string>} keys of which another alert is open than when it was last found out what is visible */
    this.stirred = new Set();
    /** @type {Map<string, any>} those of them that no open alert says already */
    this.visible = new Map();
    /** @type {Set<string>} chattering alerts that do not sound again while they are said to chatter */
    this.quiet = new Set();
    this.tally = new Tally();
    /** What is in front of the operator, stored or not. */
    this.order = new QueueOrder();
    this.groups = new Groups();
    /** @type {Map<string, Alert>} those that are held */
    this.aside = new Map();
    /** @type {Alert[] | null} in their order; null: to be put in order */
    this.heldInOrder = null;
    /** @type {Map<string, Alert>} the open alerts by key, of which there is one each */
    this.byKey = new Map();
    /** @type {Map<string, Alert>} those that 119 was told of or is to be */
    this.at119 = new Map();
    /** @type {Map<string, Alert>[]} those that wait for an operator, by priority */
    this.calling = nobody();
  }

  keep(next) {
    const held = this.open.get(next.id);
    const followed = held && this.byKey.get(next.key) !== held; // another has the key by now, and this one's closing is on its way
    this.drop(next.id);
    this.open.set(next.id, next);
    if (!followed) this.byKey.set(next.key, next);
    if (mayConcern119(next)) this.at119.set(next.id, next);
    if (demands(next)) this.calling[next.priority].set(next.id, next);
    if (isHeld(next)) this.setAside(next.id, next);
    else this.groups.add(next);
    this.tally.note(next, 1);
    this.order.moves(next.id, null);
    this.stirred.add(next.key);
  }

  drop(id) {
    const held = this.open.get(id);
    if (!held) return;
    this.open.delete(id);
    this.at119.delete(id);
    this.calling[held.priority].delete(id);
    if (this.byKey.get(held.key) === held) this.byKey.delete(held.key);
    if (isHeld(held)) this.setAside(id, null);
    this.groups.remove(held);
    this.tally.note(held, -1);
    this.order.moves(id, isHeld(held) ? null : held);
    this.stirred.add(held.key);
  }

  setAside(id, alert) {
    this.heldInOrder = null;
    if (alert) this.aside.set(id, alert);
    else this.aside.delete(id);
  }

  /** A provisional alarm comes into sight. */
  show(alarm) {
    this.visible.set(alarm.id, alarm);
    this.calling[alarm.priority].set(alarm.id, alarm);
    this.tally.note(alarm, 1);
    this.order.moves(alarm.id, null);
  }

  hide(alarm) {
    this.visible.delete(alarm.id);
    this.calling[alarm.priority].delete(alarm.id);
    this.tally.note(alarm, -1);
    this.order.moves(alarm.id, alarm);
  }

  /** Takes the whole list of provisional alarms. @returns {Change} */
  setProvisional(list) {
    const known = this.provisional;
    const before = new Map(this.visible);
    this.provisional = new Map();
    for (const raw of list) {
      const id = idOfKey(raw.key);
      const held = known.get(id);
      this.provisional.set(id, held && saysTheSame(held.raw, raw) ? held : { raw, alarm: provisionally(raw) });
    }
    for (const [id, held] of before) if (!this.provisional.has(id)) this.hide(held);
    this.coverAll();
    /** @type {Change} */
    const change = { added: [], changed: [], removed: [], roused: [] };
    for (const id of this.provisional.keys()) {
      const next = this.visible.get(id);
      const held = before.get(id);
      if (!next || next === held) continue;
      if (!held) change.added.push(next);
      else if (held.priority !== next.priority || held.eventMs !== next.eventMs) change.changed.push(next);
      if (!held || next.priority < held.priority || (isFire(next) && next.eventMs > held.eventMs)) change.roused.push(next);
    }
    for (const [id, held] of before) if (!this.visible.has(id)) change.removed.push(held);
    return change;
  }

  /** Finds out which provisional alarms are to be seen, of those that a stored alert says already or did. */
  cover() {
    if (this.covering !== this.silencing()) return this.coverAll();
    if (this.provisional.size) for (const key of this.stirred) this.coverOne(idOfKey(key));
    this.stirred.clear();
  }

  coverAll() {
    this.covering = this.silencing();
    for (const id of this.provisional.keys()) this.coverOne(id);
    this.stirred.clear();
  }

  coverOne(id) {
    const alarm = this.provisional.get(id)?.alarm;
    const held = this.visible.get(id);
    const stored = alarm && this.byKey.get(alarm.key);
    const next = stored && covers(stored, alarm, demands(stored) && !this.silenced(stored)) ? undefined : alarm;
    if (next === held) return;
    if (held) this.hide(held);
    if (next) this.show(next);
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
    this.byKey.clear();
    this.at119.clear();
    this.calling = nobody();
    this.tally = new Tally();
    this.order = new QueueOrder();
    this.groups = new Groups();
    this.aside.clear();
    this.heldInOrder = null;
    this.closed.clear();
    for (const alarm of this.visible.values()) this.show(alarm);
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
    this.coverAll();
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

  /** @returns {any} an alert in front of the operator or held, stored or not; undefined: there is none */
  get(id) {
    return this.open.get(id) ?? this.visible.get(id);
  }

  /** @returns {Alert[]} the queue, in its order; not to be changed, for what did not change is taken over from the one before */
  sorted() {
    return this.order.sorted((id) => (this.aside.has(id) ? null : (this.get(id) ?? null)));
  }

  /** @returns {Alert[]} out of the queue for a time: the one that comes back first on top; not to be changed */
  held() {
    return (this.heldInOrder ??= [...this.aside.values()].sort(compareHeld));
  }

  /** @returns {Record<number, {open: number, waiting: number}>} by priority */
  counts() {
    return this.tally.counts();
  }

  /** How many are out of the queue by each hold, and how many of the queue belong to an announced test. */
  asides() {
    return { ...this.tally.asides };
  }

  /** Most urgent priority that sounds for the operator of this seat; 0 when none does. `testing`: of announced tests instead. */
  demand(testing = false) {
    const most = this.tally.most(testing);
    if (!most) return 0;
    const sounds = (alert) => demands(alert) && isTesting(alert) === testing && !this.quiet.has(alert.id) && !this.silenced(alert);
    for (let priority = most; priority < this.calling.length; priority += 1) {
      for (const alert of this.calling[priority].values()) if (sounds(alert)) return priority;
    }
    return 0;
  }
}

/** Of each priority none. @returns {Map<string, Alert>[]} */
const nobody = () => [0, ...PRIORITIES].map(() => new Map());
