// One alert in the queue, and the words of an alert used elsewhere, too.
import { useMemo } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, integer, language, quantity, shortMoment, t, titleOf, word } from "../core/i18n.js";
import { demands, isHeld, isStale, isTesting } from "../core/marks.js";
import { isProvisional } from "../core/provisional.js";
import { zone } from "../core/zone.js";
import { DueMark } from "./due.js";
import { Icon } from "./icons.js";
import { Priority } from "./symbol.js";

/** The point, in words where it is the channel of a metric; a metric alone says no more than the title. */
export function componentOf(alert) {
  if (alert.flags?.includes("manual")) return ""; // of a report it is a number that only keeps it apart
  const [metric, channel] = (alert.component ?? "").split(".");
  if (!alert.metric || metric !== alert.metric.split(".")[0]) return alert.component;
  return channel ? `${word("metric", metric)} ${channel}` : "";
}

/** Point and the panel's own words, once where a panel says the same in both. */
export const pointOf = (alert) => [...new Set([componentOf(alert), alert.text])].filter(Boolean).join(" · ");

/** Unit, place, point and the panel's own words, as far as they are known and differ. */
export function placeOf(alert) {
  const parts = [alert.unit_name ?? alert.unit ?? alert.subject, alert.place, componentOf(alert), alert.text];
  const inPlace = new Set(alert.place?.split(" / "));
  return parts.filter((part, i) => part && parts.indexOf(part) === i && (i < 2 || !inPlace.has(part))).join(" · ");
}

/** What an alert is about when its value counts devices. */
const GROUPS = new Set(["zone", "unit", "main", "gateway"]);

/** Its figures in words: `name`, `derived` (what they are of the metric, where not as measured), `value`, `uom`, `limit`; null where there is none. `devices`: of a group, they are its devices that alarm together. */
export function figuresOf(alert) {
  const { value, limit, metric } = alert;
  if (value === null || value === undefined) return null;
  if (!metric && limit === 1 && (GROUPS.has(alert.subject_kind) || value === 1)) return null; // several conditions, of one device each: counting says nothing
  const limited = limit !== null && limit !== undefined;
  if (!metric && GROUPS.has(alert.subject_kind)) {
    return { devices: true, name: t("figure.together"), value: t("figure.devices", { n: integer(value) }), uom: "", limit: limited ? t("figure.needed", { n: integer(limit) }) : "" };
  }
  const { of, over } = alert.figure ?? {};
  const derived = of ? word("figure_of", of) : "";
  const name = metric ? [word("metric", metric.split(".")[0]), derived, over].filter(Boolean).join(" ") : t("figure.count");
  return { devices: false, name, derived, value: quantity(value), uom: word("uom", alert.uom ?? ""), limit: limited ? quantity(limit) : "" };
}

/** The line below the value: its limit, and what both are where they are derived. */
const limitOf = ({ devices, derived, limit }) =>
  devices ? limit : [derived, limit && t("row.limit", { limit })].filter(Boolean).join(" ");

/** What a screen reader says of a row; without the age, which would never stop talking. */
export const labelOf = (alert) =>
  [word("priority", alert.priority), word("class", alert.class), titleOf(alert), placeOf(alert), isProvisional(alert) && t("provisional.word"), stateOf(alert), ...(alert.flags ?? []).map((flag) => word("flag", flag))].filter(Boolean).join(", ");

/** The class, unless the title begins with it anyway. */
const classOf = (alert) => {
  const name = word("class", alert.class);
  return titleOf(alert).toLowerCase().startsWith(name.toLowerCase()) ? "" : name;
};

/** How far it has come: a hold, or for a fire on its way the last step taken, or the state. */
export function stateOf(alert) {
  if (isHeld(alert)) return word("hold", alert.hold);
  if (alert.state !== "acknowledged") return word("state", alert.state);
  if (alert.handover?.cancel) return t("stage.cancelled");
  if (alert.receipted_at) return t("stage.receipted");
  if (alert.forwarded_at) return t("stage.forwarded");
  if (alert.verification === "unverifiable") return word("verification", alert.verification);
  if (alert.verification) return t("stage.verified", { result: word("verification", alert.verification) });
  return word("state", alert.state);
}

/** Who took the step that `stateOf` names, where it is known: nobody else's name stands beside it. */
export function actorOf(alert) {
  if (isHeld(alert)) return alert.held_by ?? "";
  if (alert.state !== "acknowledged" || alert.forwarded_at) return "";
  return (alert.verification ? alert.verified_by : alert.acknowledged_by) ?? "";
}

/** Words that must not be overlooked stand out; the others tell. */
const LOUD = new Set(["in_test", "during_test", "after_test", "in_drill", "after_drill", "impaired", "second_signal", "place_mismatch", "chattering"]);

/** What the server marked, and what follows from the time: escalated 逐级上报, stale 滞留; what must not be overlooked first, of that a test. */
function markedOf(alert, now) {
  const said = (alert.flags ?? []).map((flag) => ({ flag, text: word("flag", flag), loud: LOUD.has(flag) }));
  if (alert.escalation > 0) said.unshift({ flag: "escalated", text: t("flag_of.escalation", { n: alert.escalation }), loud: true });
  if (isStale(alert, now)) said.push({ flag: "stale", text: t("flag_of.stale"), loud: true });
  const rank = ({ flag, loud }) => (flag === "in_test" ? 0 : loud ? 1 : 2);
  return said.sort((a, b) => rank(a) - rank(b));
}

const marked = ({ flag, text, loud }) => html`<span key=${flag} class="flag ${loud ? "loud" : ""} ${flag}">${text}</span>`;

export const flagsOf = (alert, now) => markedOf(alert, now).map(marked);

/** At most so many in a row, as far as it is wide; the title beside them always has its place. */
const MOST_MARKS = 3;

/** The marks of a row: the first ones, and how many more there are for each width (css/queue.css chooses). */
function Marks({ alert, now }) {
  const said = markedOf(alert, now);
  if (!said.length) return null;
  const more = (shown) => said.length > shown && html`<span class="flag more-${shown}">+${said.length - shown}</span>`;
  return html`<span class="flags" title=${said.map(({ text }) => text).join(" · ")}>${said.slice(0, MOST_MARKS).map(marked)}${more(1)}${more(2)}${more(3)}</span>`;
}

/** 未落库, by icon and word. */
export const Unstored = ({ alert }) => isProvisional(alert) && html`<span class="unstored"><${Icon} name="unstored" />${t("provisional.word")}</span>`;

const DOING = { doing: "act.doing", waiting: "act.waiting_short" };

export function Row({ item, top, size, selected, now, live, act, onSelect }) {
  const { alert, position, height, grouped } = item;
  const waiting = demands(alert);
  const figures = figuresOf(alert);
  // a row that only moves is not written anew: in a storm every row moves with each painting
  const inside = useMemo(() => insideOf(alert, figures, now, live, act), [alert, now, live, act, language.value, zone.value]);
  const label = useMemo(() => labelOf(alert), [alert, language.value]);
  return html`<div id=${`alert-${alert.id}`} class="row p${alert.priority} ${waiting ? "waiting" : "seen"} ${selected ? "selected" : ""} ${figures ? "" : "valueless"} ${isProvisional(alert) ? "provisional" : ""} ${isTesting(alert) ? "testing" : ""} ${grouped ? "grouped" : ""}" role="option"
      aria-selected=${selected} aria-posinset=${position} aria-setsize=${size} aria-label=${label}
      style=${{ transform: `translateY(${top}px)`, height: `${height}px` }} onClick=${onSelect}>${inside}</div>`;
}

const insideOf = (alert, figures, now, live, act) => html`
    <span class="c-priority"><${Priority} alert=${alert} waiting=${demands(alert)} /></span>
    <span class="c-what">
      <span class="line"><${Unstored} alert=${alert} />${classOf(alert) && html`<span class="class">${classOf(alert)}</span>`}<b class="cut">${titleOf(alert)}</b><${Marks} alert=${alert} now=${now} /></span>
      <span class="line place cut">${placeOf(alert)}</span>
    </span>
    <span class="c-value">${figures && html`
      <span class="line num">${figures.value} <small>${figures.uom}</small></span>
      <span class="line num place">${limitOf(figures)}</span>`}
    </span>
    <span class="c-times num">${alert.occurrences > 1 && `×${alert.occurrences}`}</span>
    <span class="c-age num">
      <span class="line">${age(now - alert.raisedMs)}</span>
      <span class="line place">${shortMoment(alert.raisedMs, now)}</span>
    </span>
    <span class="c-state">
      <span class="line state">${act?.phase in DOING ? t(DOING[act.phase]) : stateOf(alert)}</span>
      <span class="line place cut"><${DueMark} alert=${alert} now=${now} live=${live} /><span class="actor">${actorOf(alert)}</span></span>
    </span>`;
