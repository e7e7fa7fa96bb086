// What stands about an alert beside its state: held, in an announced window, verified, escalated, part of an incident.
import { html } from "./html.js";
import { age, moment, t, titleOf, word } from "../core/i18n.js";
import { isHeld } from "../core/marks.js";
import { focusQueue } from "./app.js";
import { whereOf } from "./headline.js";

export function Standing({ desk, alert }) {
  const now = desk.now.value;
  const incident = alert.incident_id && desk.view.value.incidents.get(alert.incident_id);
  const verified = alert.verification && [word("verification", alert.verification), word("method", alert.verify_method), alert.verified_by].join(" · ");
  return html`
    ${isHeld(alert) && html`<p class="why" data-hold=${alert.hold}><b>${word("hold", alert.hold)}</b> ${holdWords(desk, alert, now)}</p>`}
    ${alert.window_id && !isHeld(alert) && html`<${InWindow} desk=${desk} alert=${alert} now=${now} />`}
    <dl class="facts standing">
      ${verified && html`<div><dt>${t("detail.verified")}</dt><dd>${verified}</dd></div>`}
      ${alert.escalation > 0 && html`<div><dt>${t("detail.escalation")}</dt><dd>${t("detail.escalated", { n: alert.escalation })}</dd></div>`}
      ${incident && html`<div><dt>${t("incident.word")}</dt><dd><button class="link" onClick=${() => {
        desk.select(`i-${incident.id}`);
        focusQueue();
      }}>${whereOf(incident)}</button></dd></div>`}
    </dl>`;
}

/** A reason the server gives begins with the kind of the window, in its own word, or names what suppresses by design. */
export function whyOf(reason) {
  const [, by, name] = /^(rule|event):(\S+)$/.exec(reason) ?? [];
  if (by === "rule") return t("hold_of.by_rule", { rule: name });
  if (by === "event") return t("hold_of.by_event", { event: name });
  return reason.replace(/^(\w+): /, (_, kind) => `${word("window", kind)} `);
}

/** Who, why, until when, because of what. */
export function holdWords(desk, alert, now) {
  const until = alert.held_until && Date.parse(alert.held_until);
  const cause = alert.cause_id && desk.alerts.value.find(({ id }) => id === alert.cause_id);
  return html`${until && html`<span class="num">${t("hold_of.until", { time: moment(until, now), left: age(until - now) })} </span>`}
    ${alert.held_by && html`<span>${t("hold_of.by", { by: alert.held_by })} </span>`}
    ${alert.hold_reason && !alert.hold_reason.startsWith("cause:") && html`<span>${t("hold_of.why", { why: whyOf(alert.hold_reason) })} </span>`}
    ${alert.cause_id && html`<button class="link" onClick=${(event) => {
      event.stopPropagation();
      desk.select(alert.cause_id);
    }}>${t("hold_of.cause", { cause: cause ? `${titleOf(cause)} ${cause.unit_name ?? cause.subject}` : `#${alert.cause_id}` })}</button>`}`;
}

function InWindow({ desk, alert, now }) {
  const window = desk.announced.value.find(({ id }) => id === alert.window_id);
  return html`<p class="why" data-window=${alert.window_id}>${
    window
      ? html`<b>${word("window", window.kind)}</b> ${window.reason} <span class="num">${t("hold_of.until", { time: moment(Date.parse(window.ends_at), now), left: age(Date.parse(window.ends_at) - now) })}</span>`
      : t("hold_of.window_over")
  }</p>`;
}
