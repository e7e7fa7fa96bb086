// The headline of an incident 警情 over its alerts: what, how many of each class, how many are folded away and wait.
import { html } from "./html.js";
import { age, t, titleIn, word } from "../core/i18n.js";
import { classesOf } from "../core/incidents.js";
import { demands } from "../core/marks.js";
import { Symbol } from "./symbol.js";

export const countsOf = (members) => classesOf(members).map(([name, n]) => `${word("class", name)} ${n}`).join(" · ");

/** Where it is: the server's headline without its counts, which count closed alerts too. */
export function whereOf(incident) {
  const headline = titleIn(incident.headline);
  const end = Math.max(headline.lastIndexOf("："), headline.lastIndexOf(": "));
  return end > 0 ? headline.slice(0, end) : headline || [incident.unit_name ?? incident.unit, incident.place].filter(Boolean).join(" ");
}

export function Headline({ item, top, size, selected, now, onSelect, onToggle }) {
  const { incident, members, folded, waiting, expanded, foldable, position, height } = item;
  const lead = members[0];
  const said = folded ? t(waiting ? "incident.folded_waiting" : "incident.folded", { n: folded, waiting }) : "";
  const label = [t("incident.word"), whereOf(incident), countsOf(members), said].filter(Boolean).join(", ");
  return html`<div id=${`alert-${item.id}`} class="row headline ${waiting ? "waiting" : "seen"} ${selected ? "selected" : ""}" role="option" data-incident=${incident.id}
      aria-selected=${selected} aria-posinset=${position} aria-setsize=${size} aria-label=${label}
      style=${{ transform: `translateY(${top}px)`, height: `${height}px` }} onClick=${onSelect}>
    <${Symbol} priority=${lead.priority} waiting=${demands(lead) || waiting > 0} />
    <span class="cut"><span class="class">${t("incident.word")}</span> <b>${whereOf(incident)}</b></span>
    <span class="counts-line num">${countsOf(members)}</span>
    ${foldable
      ? html`<span class="fold" onClick=${(event) => {
          event.stopPropagation();
          onToggle();
        }}>${expanded ? t("incident.fold") : said}</span>`
      : html`<span></span>`}
    <span class="num c-age">${age(now - Date.parse(incident.last_raised_at))}</span>
  </div>`;
}
