// Where rows stand: sections of the queue, the window drawn, and what is waiting out of sight. Arithmetic only.
import { demands, isTesting } from "../core/marks.js";

const OVERSCAN = 6;

/**
 * Section headings and rows in order, with the top edge of each.
 * `rows`: of core/incidents.js. `sections`: how many alerts there are of each priority, folded away, without a row or not.
 * `at`: index of a row by id. `position`: 1 to n, among rows only. `urgent`: indexes of the alerts of priority 1 and 2.
 * `unlisted`: how many of priority 2 wait that have no row, for there are too many.
 */
export function itemsOf(rows, sections, heights) {
  const items = [];
  const tops = [];
  const at = new Map();
  const urgent = [];
  let unlisted = 0;
  let total = 0;
  let section = null;
  const push = (item, height) => {
    tops.push(total);
    items.push({ ...item, height });
    total += height;
  };
  rows.forEach((row, i) => {
    if (section !== row.section) {
      section = row.section;
      push({ heading: section, ...sections[section] }, heights.heading);
    }
    at.set(row.id, items.length);
    if (row.alert?.priority <= 2) urgent.push(items.length);
    if (row.unlisted && section === 2) unlisted = row.unlisted.waiting;
    push({ ...row, position: i + 1 }, row.alert ? heights.row : heights.headline);
  });
  return { items, tops, total, at, urgent, unlisted };
}

/** Index of the last of the edges of which `holds` is true, which it is from the first on; -1: of none. */
export function lastOf(tops, holds) {
  let [low, high] = [0, tops.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(tops[middle])) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Indexes of the first and last item to draw. */
export function windowOf(tops, total, heights, box) {
  const from = Math.max(0, box.top - OVERSCAN * heights.row);
  const to = Math.min(total, box.top + box.height + OVERSCAN * heights.row);
  const first = Math.max(0, lastOf(tops, (top) => top <= from));
  return { first, last: Math.max(first, lastOf(tops, (top) => top < to)) };
}

/**
 * Alerts of priority 1 and 2 that wait and are not wholly in the box above its lowest `reserve` pixels, most urgent first.
 * The strip that names them covers those pixels, so whether it is drawn does not change who is in it.
 */
export function outOfSight({ items, tops, total, urgent }, box, reserve) {
  if (total <= box.height) return [];
  const bottom = box.top + box.height - reserve;
  const hidden = [];
  for (const i of urgent) {
    const { alert, height } = items[i];
    if (demands(alert) && (tops[i] < box.top - height / 2 || tops[i] + height > bottom)) hidden.push(alert);
  }
  return hidden.sort((a, b) => a.priority - b.priority || Number(isTesting(a)) - Number(isTesting(b)));
}
