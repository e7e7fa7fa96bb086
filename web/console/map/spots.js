// Alarms by where they stand: sixty thousand of them stand in some hundred places, and only places are drawn, searched and counted.
import { demands, isFire } from "../core/marks.js";
import { between, compareAlerts, compareAll, woven } from "../core/order.js";

/** @typedef {import("../core/alarms.js").Alert} Alert */
/** @typedef {{x: number, y: number, fire: boolean, alarms: Alert[], waiting: number, foremost: Alert | null}} Spot `alarms`: the first leads; `foremost`: the first that waits */
/** @typedef {{lon: number, lat: number, at: number[], spots: (Spot | null)[]}} Place `at`: metres of the map; `spots`: of its fires and of its other alarms, see `sortOf` */
/** @typedef {{gone: Alert[], fresh: Alert[]}} Change */

/** Fires of a place and its other alarms are spots of their own. */
const sortOf = (alert) => Number(isFire(alert));

const byFirst = (/** @type {Spot} */ a, /** @type {Spot} */ b) => compareAll(a.alarms[0], b.alarms[0]);
const waitingOf = (alerts) => alerts.reduce((count, alert) => count + Number(demands(alert)), 0);

/** Kept while alarms come and go: only where one does is a spot made anew. x and y in metres of the map. */
export class Spots {
  /** `project`: a place `[lon, lat]` in metres of the map. */
  constructor(project) {
    this.project = project;
    /** @type {Spot[]} in the order of those that lead them; none is ever changed, another takes its place */
    this.all = [];
    /** @type {Map<number, Map<number, Place>>} where alarms are, by lon and lat */
    this.places = new Map();
    /** @type {Map<string, Alert>} */
    this.byId = new Map();
    this.placeless = 0;
    /** @type {Alert[][]} what was taken last */
    this.taken = [[], []];
  }

  /** Takes what is to be shown: the queue and what is held, each in its order. */
  take(/** @type {Alert[]} */ queue, /** @type {Alert[]} */ held = []) {
    /** @type {Map<Place, Change[]>} by place, of each sort */
    const touched = new Map();
    const lists = [queue, held];
    for (const [i, before] of this.taken.entries()) {
      const { gone, fresh } = between(before, lists[i], compareAll);
      for (const alert of gone) {
        if (this.byId.get(alert.id) === alert) this.byId.delete(alert.id); // else it is in the other list by now
        this.touch(touched, alert, -1)?.gone.push(alert);
      }
      for (const alert of fresh) {
        this.byId.set(alert.id, alert);
        this.touch(touched, alert, 1)?.fresh.push(alert);
      }
    }
    this.taken = lists;
    const gone = /** @type {Spot[]} */ ([]);
    const fresh = /** @type {Spot[]} */ ([]);
    for (const [place, changes] of touched) {
      const before = place.spots;
      place.spots = changes.map((change, sort) => spotOf(place, sort, before[sort], change));
      for (const [sort, spot] of place.spots.entries()) {
        const old = before[sort];
        if (spot === old) continue;
        if (old) gone.push(old);
        if (spot) fresh.push(spot);
      }
      if (!place.spots.some(Boolean)) this.forget(place);
    }
    if (gone.length || fresh.length) this.all = woven(this.all, gone, fresh, byFirst);
  }

  /** What changes where an alarm comes (`by` 1) or goes (-1); undefined: it has no place. */
  touch(touched, alert, by) {
    const { lon, lat } = alert;
    if (lon === null || lat === null) {
      this.placeless += by;
      return undefined;
    }
    let column = this.places.get(lon);
    if (!column) this.places.set(lon, (column = new Map()));
    let place = column.get(lat);
    if (!place) column.set(lat, (place = { lon, lat, at: this.project([lon, lat]), spots: [null, null] }));
    let changes = touched.get(place);
    if (!changes) touched.set(place, (changes = place.spots.map(() => ({ gone: [], fresh: [] }))));
    return changes[sortOf(alert)];
  }

  forget({ lon, lat }) {
    const column = this.places.get(lon);
    column?.delete(lat);
    if (!column?.size) this.places.delete(lon);
  }

  /** The spot of an alarm. */
  of(id) {
    const alert = this.byId.get(id);
    return (alert && this.places.get(alert.lon)?.get(alert.lat)?.spots[sortOf(alert)]) ?? null;
  }
}

/** A spot after a change: itself where there was none, null where nothing is left. @returns {Spot | null} */
function spotOf(/** @type {Place} */ { at: [x, y] }, sort, /** @type {Spot | null} */ old, /** @type {Change} */ { gone, fresh }) {
  if (!gone.length && !fresh.length) return old;
  const waiting = (old?.waiting ?? 0) + waitingOf(fresh) - waitingOf(gone);
  const alarms = woven(old?.alarms ?? [], gone, fresh, compareAll);
  if (!alarms.length) return null;
  return { x, y, fire: sort === 1, alarms, waiting, foremost: waiting ? (alarms.find(demands) ?? null) : null };
}

/** By the alarm that leads each. */
export const byLead = (/** @type {Spot} */ a, /** @type {Spot} */ b) => compareAlerts(a.alarms[0], b.alarms[0]);

/**
 * Spots that would cover one another, the one that leads first; a fire stands for itself wherever it is not in the very place of another.
 * `at`: the pixel of a spot.
 * @returns {{x: number, y: number, spots: Spot[]}[]}
 */
export function heaps(spots, at) {
  const found = new Map();
  for (const spot of [...spots].sort(byLead)) {
    const [x, y] = at(spot);
    const cell = spot.fire ? 4 : 14;
    const key = ((Math.round(x / cell) + 32_768) * 65_536 + Math.round(y / cell) + 32_768) * 2 + Number(spot.fire);
    const heap = found.get(key);
    if (heap) heap.spots.push(spot);
    else found.set(key, { x, y, spots: [spot] });
  }
  return [...found.values()];
}
