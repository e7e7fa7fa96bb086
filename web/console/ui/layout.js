// Where rows stand: sections of the queue, the window drawn, and what is waiting out of sight. Arithmetic only.
import { demands } from "../core/alarms.js";

const OVERSCAN = 6;

/**
 * Headings and rows in order, with the top edge of each.
 * `at`: index of an alert's row by id. `position`: 1 to n, among alerts only.
 */
export function itemsOf(alerts, heights) {
  const items = [];
  const tops = [];
  const at = new Map();
  let total = 0;
  let heading = null;
  const push = (item, height) => {
    tops.push(total);
    items.push(item);
    total += height;
  };
  alerts.forEach((alert, i) => {
    if (heading?.heading !== alert.priority) {
      heading = { heading: alert.priority, open: 0, waiting: 0 };
      push(heading, heights.heading);
    }
    heading.open += 1;
    if (demands(alert)) heading.waiting += 1;
    at.set(alert.id, items.length);
    push({ alert, position: i + 1 }, heights.row);
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

/**
 * Alerts of priority 1 and 2 that wait and are not wholly in the box above its lowest `reserve` pixels, most urgent first.
 * The strip that names them covers those pixels, so whether it is drawn does not change who is in it.
 */
export function outOfSight(items, tops, total, rowHeight, box, reserve) {
  if (total <= box.height) return [];
  const top = box.top - rowHeight / 2;
  const bottom = box.top + box.height - reserve;
  const hidden = [];
  for (let i = 0; i < items.length; i += 1) {
    const { alert } = items[i];
    if (!alert) continue;
    if (alert.priority > 2) break;
    if (demands(alert) && (tops[i] < top || tops[i] + rowHeight > bottom)) hidden.push(alert);
  }
  return hidden;
}
