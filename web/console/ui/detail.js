// The selected alert: what, where, since when, who; acknowledging it, noting and closing.
import { useLayoutEffect } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, clockTime, integer, moment, serverLanguage, t, titleIn, titleOf, word } from "../core/i18n.js";
import { demands, isForwardable, isUnacknowledged } from "../core/marks.js";
import { isProvisional } from "../core/provisional.js";
import { PRIORITIES } from "../core/tally.js";
import { Around } from "./around.js";
import { Cameras } from "./cameras.js";
import { Contacts, Remembered } from "./contacts.js";
import { DueLine } from "./due.js";
import { CloseForm, NoteForm } from "./forms.js";
import { Guard } from "./guard.js";
import { Messages } from "./handover.js";
import { History } from "./history.js";
import { Icon } from "./icons.js";
import { IncidentDetail } from "./incident.js";
import { Near } from "./near.js";
import { Original, outcomeText } from "./outcome.js";
import { FloorPlan } from "./plan.js";
import { Standing } from "./standing.js";
import { ActBar } from "./steps.js";
import { Unstored, figuresOf, flagsOf, pointOf, stateOf } from "./row.js";
import { Priority, Symbol } from "./symbol.js";
import { Told } from "./told.js";

const CLOCKS = ["device_at", "received_at", "raised_at", "shown_at", "acknowledged_at", "verified_at", "forwarded_at", "receipted_at", "last_event_at", "closed_at"];

export function Detail({ desk, onBack }) {
  const alert = desk.selected.value;
  useLayoutEffect(() => {
    // what and where come first: never the headline of another alert, or none, above the button
    document.querySelector(".side")?.scrollTo(0, 0);
  }, [alert?.id]);
  const incident = desk.selectedIncident();
  if (incident) return html`<${IncidentDetail} desk=${desk} incident=${incident} onBack=${onBack} />`;
  if (!alert) return html`<${Nothing} />`;
  const unstored = isProvisional(alert);
  return html`<article id="detail" class="detail ${unstored ? "provisional" : ""}" tabindex="-1" data-alert=${alert.id}>
    <button class="to-list" onClick=${onBack}><${Icon} name="back" />${t("detail.back")}</button>
    <header class="detail-head p${alert.priority}">
      <p class="inline"><${Unstored} alert=${alert} /><${Priority} alert=${alert} waiting=${demands(alert)} /> · ${word("class", alert.class)} · <b>${stateOf(alert)}</b>
        ${alert.occurrences > 1 && html`<span class="num">×${alert.occurrences}</span>`}${flagsOf(alert, desk.now.value)}</p>
      <h2>${titleOf(alert)}</h2>
      <p class="where">${[...new Set([alert.unit_name ?? alert.unit ?? alert.subject, alert.place])].filter(Boolean).map((part, i) => html`${i > 0 && html`<br />`}${part}`)}</p>
      ${pointOf(alert) && html`<p class="panel-text">${pointOf(alert)}</p>`}
      <${DueLine} desk=${desk} alert=${alert} />
    </header>
    <${Acknowledge} desk=${desk} alert=${alert} />
    ${unstored && html`<${Unsettled} desk=${desk} alert=${alert} />`}
    <${Standing} desk=${desk} alert=${alert} />
    ${!unstored && html`<${ActBar} key=${`acts-${alert.id}`} desk=${desk} alert=${alert} />`}
    <${Value} alert=${alert} />
    ${!unstored && html`<${Guard} key=${`plan-${alert.id}`}><${FloorPlan} desk=${desk} alert=${alert} /></${Guard}>`}
    ${!unstored && html`<${Guard} key=${`contacts-${alert.id}`}><${Contacts} desk=${desk} alert=${alert} /></${Guard}>`}
    <${Advice} desk=${desk} alert=${alert} />
    ${!unstored && html`<${AroundIt} desk=${desk} alert=${alert} />`}
    ${!unstored && html`<${Guard} key=${`around-${alert.id}`}><${Around} desk=${desk} alert=${alert} /></${Guard}>`}
    <${Facts} desk=${desk} alert=${alert} />
    ${!unstored && html`<${Stored} desk=${desk} alert=${alert} />`}
  </article>`;
}

/** 未落库: what becomes of it, and what can be done meanwhile. */
function Unsettled({ desk, alert }) {
  const waits = desk.alarms.provisional.has(alert.id);
  return html`<p class="why" data-unstored>${t(waits ? "provisional.why" : "provisional.gone")}</p>
    ${waits && isForwardable(alert) && html`<div class="act-buttons"><button class="danger" data-script onClick=${() => desk.openScript()}><${Icon} name="phone" />${t("script.open")} <kbd>1</kbd></button></div>
      <p class="why">${t("provisional.meanwhile")}</p>`}
    ${waits && html`<${Remembered} alert=${alert} />`}`;
}

/** What cameras see, where water and help are, who was told, and what 119 was told. */
function AroundIt({ desk, alert }) {
  return html`
    <${Guard} key=${`cameras-${alert.id}`}><${Cameras} desk=${desk} alert=${alert} /></${Guard}>
    <${Guard} key=${`near-${alert.id}`}><${Near} desk=${desk} alert=${alert} /></${Guard}>
    <${Guard} key=${`messages-${alert.id}`}><${Messages} desk=${desk} alert=${alert} /></${Guard}>
    <${Guard} key=${`told-${alert.id}`}><${Told} desk=${desk} alert=${alert} /></${Guard}>`;
}

/** What can be read and done only of an alert in the store. */
function Stored({ desk, alert }) {
  return html`
    <${NoteForm} key=${`note-${alert.id}`} desk=${desk} alert=${alert} />
    <${History} key=${`history-${alert.id}`} desk=${desk} alert=${alert} />
    <${CloseForm} key=${`close-${alert.id}`} desk=${desk} alert=${alert} />`;
}

/** 受理: its result stands beside the button, and the place of both never moves. */
function Acknowledge({ desk, alert }) {
  const outcome = desk.acts.outcome(alert.id, "acknowledge");
  const open = isUnacknowledged(alert);
  const doing = outcome?.phase === "doing" || outcome?.phase === "waiting";
  const gone = isProvisional(alert) && !desk.alarms.visible.has(alert.id);
  const live = desk.feedStatus.value === "live";
  return html`<div class="acknowledge">
    <button class="primary" disabled=${doing || gone || !open || !live} onClick=${() => desk.acknowledge()}>${t(outcome?.phase === "doing" ? "act.doing" : "act.acknowledge")} <kbd>A</kbd></button>
    <div role="status" class="outcome ${outcome?.phase ?? ""}" data-outcome=${outcome?.phase ?? ""}>${
      open && desk.chosen.value === alert.id ? t("act.chosen") : outcome ? outcomeText("acknowledge", outcome, desk.operator.value?.username) : live || !open ? standing(alert) : t("banner.writes_off")
    }${!(open && desk.chosen.value === alert.id) && html`<${Original} outcome=${outcome} />`}</div>
  </div>`;
}

/** What is known without an act of ours. */
function standing(alert) {
  if (alert.state === "closed") {
    return t("act.closed", { by: alert.closed_by ?? t("act.system"), time: clockTime(Date.parse(alert.closed_at)) });
  }
  if (alert.acknowledged_at && !isUnacknowledged(alert)) {
    return t("act.acknowledged", { by: alert.acknowledged_by ?? "?", time: clockTime(Date.parse(alert.acknowledged_at)) });
  }
  return t("act.waiting");
}

/** 处置建议, of the rule. Below all buttons: it may come a moment later, and no button moves under the hand. */
function Advice({ desk, alert }) {
  const advice = titleIn(desk.advice.value.get(alert.rule));
  return advice && html`<section class="advice" data-advice><h3>${t("detail.advice")}</h3><p>${advice}</p></section>`;
}

function Value({ alert }) {
  const figures = figuresOf(alert);
  if (!figures) return null;
  const { name, value, uom, limit, devices } = figures;
  return html`<div class="value ${devices ? "devices" : ""}">
    <div><span class="small">${name}</span><b class="num">${value} <small>${devices ? limit && `(${limit})` : uom}</small></b></div>
    ${limit && !devices && html`<div><span class="small">${t("detail.limit")}</span><b class="num">${limit} <small>${uom}</small></b></div>`}
    <p class="small">${t("detail.value_when")}</p>
  </div>`;
}

function Facts({ desk, alert }) {
  const now = desk.now.value;
  const facts = [
    ["age", age(now - alert.raisedMs)],
    ["condition", word("condition", alert.condition)],
    ["unit", alert.unit && `${alert.unit_name ?? ""} ${alert.unit}`],
    ["device", alert.device && `${alert.device}${alert.device_kind ? ` · ${word("kind", alert.device_kind)}` : ""}`],
    ["address", alert.address],
    ["coordinates", alert.lon !== null && alert.lon !== undefined && `${alert.lon.toFixed(5)}, ${alert.lat.toFixed(5)}`],
    ["counted", !isProvisional(alert) && t("detail.times", { occurrences: integer(alert.occurrences), repeats: integer(alert.repeats) })],
    ["latched", alert.latched && t("detail.latched_yes")],
    ["assignee", alert.assignee],
    ["zone", alert.zone],
    ["main", alert.main],
    ["gateway", alert.gateway],
    ["disposition", alert.disposition && [word("disposition", alert.disposition), alert.cause].filter(Boolean).join(" · ")],
    ["rule", alert.rule && `${alert.rule} v${alert.rule_version}`],
  ];
  const base = Date.parse(alert.device_at ?? alert.received_at);
  return html`<dl class="facts">
      ${facts.map(([name, value]) => value && html`<div key=${name}><dt>${t(`detail.${name}`)}</dt><dd class="num">${value}</dd></div>`)}
    </dl>
    <p class="ways">${alert.device && alert.unit && html`<button class="link" onClick=${() => desk.openDevice(alert.unit, alert.device)}>${t("detail.open_device")}</button>`}
      ${alert.unit && html`<button class="link" onClick=${() => desk.openUnit(alert.unit)}>${t("detail.open_unit")}</button>`}
      ${!isProvisional(alert) && html`<a data-record="html" href=${desk.api.recordUrl(alert.id, "html", serverLanguage())} target="_blank" rel="noopener">${t("detail.record")}</a>
        <a data-record="pdf" href=${desk.api.recordUrl(alert.id, "pdf", serverLanguage())} target="_blank" rel="noopener">${t("detail.record_pdf")}</a>`}</p>
    <h3>${t("detail.clocks")}</h3>
    <dl class="facts clocks">
      ${CLOCKS.map((name) => {
        const at = alert[name] && Date.parse(alert[name]);
        return at && html`<div key=${name}><dt>${t(`clock.${name}`)}</dt><dd class="num">${moment(at, now)} <small>${after(at - base)}</small></dd></div>`;
      })}
    </dl>`;
}

const after = (ms) => (ms > 0 ? `+${ms < 10_000 ? t("age.precise", { s: (ms / 1000).toFixed(1) }) : age(ms)}` : "");

/** Nothing selected: what the signs mean and which keys there are. */
function Nothing() {
  return html`<div class="nothing">
    <p>${t("detail.nothing")}</p>
    <h3>${t("detail.legend")}</h3>
    <ul class="legend">${PRIORITIES.map((priority) => html`<li key=${priority}><${Symbol} priority=${priority} /> ${priority} ${word("priority", priority)}</li>`)}</ul>
    <h3>${t("help.keys")}</h3>
    <${Keys} />
  </div>`;
}

const KEYS = [
  ["J ↓", "next"], ["K ↑", "previous"], ["A", "acknowledge"], ["V", "verify"], ["Shift V", "video"], ["F", "forward"], ["R", "receipt"], ["C", "close"], ["1", "script"], ["Shift F", "follow_up"], ["Shift C", "cancel"], ["L", "shelve"], ["U", "restore"],
  ["T", "assign"], ["G", "group"], ["H", "held"], ["B", "board"], ["D", "windows"], ["O", "closed"], ["N", "report"], ["I", "watch"], ["M", "mute"], ["P", "map"], ["E", "more"], ["/", "filter"],
  ["Enter", "open"], ["Esc", "back"], ["?", "help"],
];

export const Keys = () =>
  html`<dl class="keys">${KEYS.map(([key, name]) => html`<div key=${key}><dt>${(key.startsWith("Shift") ? [key] : key.split(" ")).map((part) => html`<kbd>${part}</kbd>`)}</dt><dd>${t(`key.${name}`)}</dd></div>`)}</dl>`;
