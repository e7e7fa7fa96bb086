// Where rows stand: sections of the queue, the window drawn, and what is waiting out of sight. Arithmetic only.
import { demands, isTesting } from "../core/marks.js";

const OVERSCAN = 6;

/**
 * Section headings and rows in order, with the top edge of each.
 * `rows`: of core/incidents.js. `sections`: how many alerts there are of each priority, folded away, without a row or not.
 * `at`: index of a row by id. `position`: 1 to n, among rows only.
 */
export function itemsOf(rows, sections, heights) {
  const items = [];
  const tops = [];
  const at = new Map();
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
    push({ ...row, position: i + 1 }, row.alert ? heights.row : heights.headline);
  });
  return { items, tops, total, at };
}

/** Indexes of the first and last item to draw. */
export function windowOf(tops, total, heights, box) {
  const from = Math.max(0, box.top - OVERSCAN * heights.row);
  const to = Math.min(total, box.top + box.height + OVERSCAN * heights.row);
  let first = 0;
  while (first + 1 < tops.length && tops[first + 1] <= from) first += 1;
  let last = first;
  while (last + 1 < tops.length && tops[last + 1] < to) last += 1;
  return { first, last };
}

/** How many of priority 2 wait that have no row, for there are too many. */
export const unlistedUrgent = (items) => items.reduce((sum, { section, unlisted }) => sum + (unlisted && section === 2 ? unlisted.waiting : 0), 0);

/**
 * Alerts of priority 1 and 2 that wait and are not wholly in the box above its lowest `reserve` pixels, most urgent first.
 * The strip that names them covers those pixels, so whether it is drawn does not change who is in it.
 */
export function outOfSight(items, tops, total, box, reserve) {
  if (total <= box.height) return [];
  const bottom = box.top + box.height - reserve;
  const hidden = [];
  for (let i = 0; i < items.length; i += 1) {
    const { alert, height } = items[i];
    if (!alert || alert.priority > 2 || !demands(alert)) continue;
    if (tops[i] < box.top - height / 2 || tops[i] + height > bottom) hidden.push(alert);
  }
  return hidden.sort((a, b) => a.priority - b.priority || Number(isTesting(a)) - Number(isTesting(b)));
}
