// The selected incident 警情: how many of each class, and its alerts in front of the operator, each a way to it.
import { html } from "./html.js";
import { age, moment, t, titleIn, titleOf, word } from "../core/i18n.js";
import { demands } from "../core/marks.js";
import { focusQueue } from "./app.js";
import { Icon } from "./icons.js";
import { placeOf, stateOf } from "./row.js";
import { Symbol } from "./symbol.js";

const LISTED = 60;

export function IncidentDetail({ desk, incident, onBack }) {
  const now = desk.now.value;
  const members = desk.alerts.value.filter((alert) => alert.incident_id === incident.id);
  const open = desk.expanded.value.has(incident.id);
  return html`<article id="detail" class="detail" tabindex="-1" data-incident-detail=${incident.id}>
    <button class="to-list" onClick=${onBack}><${Icon} name="back" />${t("detail.back")}</button>
    <header class="detail-head p${incident.priority}">
      <p class="inline"><${Symbol} priority=${incident.priority} />${t("incident.word")} · ${word("class", incident.class)}</p>
      <h2>${titleIn(incident.headline)}</h2>
      <p class="where">${[incident.unit_name ?? incident.unit, incident.place].filter(Boolean).join(" · ")}</p>
    </header>
    <div class="acknowledge">
      <button class="primary" disabled=${!desk.firstWaiting(incident)} onClick=${() => desk.acknowledge()}>${t("incident.to_waiting")} <kbd>A</kbd></button>
      <p role="status" class="outcome">${t(desk.firstWaiting(incident) ? "incident.act_on_members" : "incident.none_waits")}</p>
    </div>
    <div class="act-buttons"><button aria-expanded=${open} onClick=${() => desk.toggle(incident.id)}>${t(open ? "incident.fold" : "incident.unfold")} <kbd>G</kbd></button></div>
    <dl class="facts">
      ${incident.members.map((each) => html`<div key=${each.class}><dt>${word("class", each.class)}</dt><dd class="num">${t("incident.of_class", { n: each.count, open: each.open })}</dd></div>`)}
      <div><dt>${t("incident.opened")}</dt><dd class="num">${moment(Date.parse(incident.opened_at), now)}</dd></div>
      <div><dt>${t("incident.latest")}</dt><dd class="num">${moment(Date.parse(incident.last_raised_at), now)} <small>${age(now - Date.parse(incident.last_raised_at))}</small></dd></div>
    </dl>
    <h3>${t("incident.members", { n: members.length })}</h3>
    <ul class="entries">${members.slice(0, LISTED).map((alert) => html`<li key=${alert.id}><button class="entry" onClick=${() => {
      desk.select(alert.id);
      focusQueue();
    }}><${Symbol} priority=${alert.priority} waiting=${demands(alert)} /><span><b>${titleOf(alert)}</b> ${placeOf(alert)}</span><span>${stateOf(alert)}</span></button></li>`)}</ul>
    ${members.length > LISTED && html`<p class="muted">${t("list.more", { n: members.length - LISTED })}</p>`}
  </article>`;
}
