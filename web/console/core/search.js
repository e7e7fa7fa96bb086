// What narrows the queue: words an operator may type to find an alert, and what may be chosen beside them. Fires it would hide are set apart.
import { wordInAll } from "./i18n.js";
import { demands, isFire } from "./marks.js";

/** @typedef {{q: string, priority: string[], class: string[], state: string[], unit: string, mine: boolean}} Filter several values of one kind: any of them; kinds: all of them */

/** @type {Filter} */
export const NO_FILTER = { q: "", priority: [], class: [], state: [], unit: "", mine: false };

/** What may be chosen, by kind, in the order it is offered in. */
export const CHOICES = {
  priority: ["1", "2", "3", "4"],
  class: ["fire", "prealarm", "supervisory", "hazard", "fault", "offline", "quality", "unreadable"],
  state: ["unacknowledged", "returned", "acknowledged"],
};

export const LONGEST_WORDS = 200;

const KINDS = /** @type {("priority" | "class" | "state")[]} */ (Object.keys(CHOICES));

/** Whether anything but words narrows the queue. @param {Filter} filter */
export const isChosen = (filter) => KINDS.some((kind) => filter[kind].length) || filter.unit !== "" || filter.mine;

/** Whether it narrows the queue at all. @param {Filter} filter */
export const narrows = (filter) => filter.q.trim() !== "" || isChosen(filter);

/** The filter with one choice more or less, in the order they are offered in. @param {Filter} filter */
export const toggled = (filter, kind, value) => ({
  ...filter,
  [kind]: CHOICES[kind].filter((each) => filter[kind].includes(each) !== (each === value)),
});

export const wordsOf = (alert) =>
  [
    alert.unit, alert.unit_name, alert.device, alert.component, alert.text, alert.place, alert.subject,
    alert.title?.zh, alert.title?.en, alert.acknowledged_by, alert.assignee,
    wordInAll("class", alert.class), wordInAll("priority", alert.priority), wordInAll("state", alert.state),
    wordInAll("kind", alert.device_kind), alert.metric && wordInAll("metric", alert.metric.split(".")[0]), ...(alert.flags ?? []).map((flag) => wordInAll("flag", flag)),
  ].filter(Boolean).join(" ");

/**
 * Splits alerts into those the filter lets through, the fires it would hide (筛选外火警), and how many others it hides that
 * wait and sound. `me`: whose alerts are mine.
 */
export function filterAlerts(alerts, /** @type {Filter} */ filter, me) {
  if (!narrows(filter)) return { shown: alerts, firesOutside: [], waitingOutside: 0 };
  const terms = filter.q.toLowerCase().split(/\s+/).filter(Boolean);
  const any = (chosen, value) => !chosen.length || chosen.includes(String(value));
  const fits = (alert) => {
    if (!any(filter.priority, alert.priority) || !any(filter.class, alert.class) || !any(filter.state, alert.state)) return false;
    if ((filter.unit && alert.unit !== filter.unit) || (filter.mine && alert.assignee !== me)) return false;
    if (!terms.length) return true;
    const words = wordsOf(alert).toLowerCase();
    return terms.every((term) => words.includes(term));
  };
  const shown = [];
  const firesOutside = [];
  let waitingOutside = 0;
  for (const alert of alerts) {
    if (fits(alert)) shown.push(alert);
    else if (isFire(alert)) firesOutside.push(alert);
    else if (alert.priority <= 2 && demands(alert)) waitingOutside += 1;
  }
  return { shown, firesOutside, waitingOutside };
}
