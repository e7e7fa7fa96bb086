// Whom to call about an alert now, in order; calls are recorded beside each, and stay listed with what came of them.
import { useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { clockTime, integer, moment, t, word } from "../core/i18n.js";
import { CallForm } from "./callform.js";
import { Icon } from "./icons.js";

/** More than these are a press away. */
const FIRST = 3;

export function Contacts({ desk, alert }) {
  const part = desk.dossier.of("contacts", alert.id);
  const people = useSteady(part.data?.items ?? []);
  const [all, setAll] = useState(false);
  const [chosen, setChosen] = useState(/** @type {string | undefined} */ (undefined));
  // the first who can be reached is ready to be called; from then on only a press changes who is
  const first = useRef(/** @type {string | undefined} */ (undefined));
  first.current ??= people.find((each) => each.reachable)?.id;
  const open = chosen ?? first.current;
  const shown = all ? people : people.filter((each, i) => i < FIRST || each.id === open);
  const toggle = (id) => setChosen(open === id ? "" : id);
  return html`<section class="contacts" aria-label=${t("contacts.title")} data-contacts>
    <h3>${t("contacts.title")}</h3>
    ${part.error && html`<p class="trouble" role="alert">${t("board.failed", { message: part.error })}</p>`}
    ${part.data === null && !part.error && html`<p class="muted">${t("board.loading")}</p>`}
    ${part.data && !people.length && html`<p class="why">${t("contacts.none")}</p>`}
    <ul class="people">${shown.map((each) => html`<${Person} key=${each.id} desk=${desk} alert=${alert} each=${each} open=${open === each.id} onToggle=${() => toggle(each.id)} onCall=${() => setChosen(each.id)} />`)}</ul>
    <div class="act-buttons">
      ${people.length > shown.length && html`<button data-all-contacts onClick=${() => setAll(true)}>${t("contacts.all", { n: integer(people.length) })}</button>`}
      <button aria-expanded=${open === "other"} data-other-call onClick=${() => toggle("other")}>${t("calls.other")}</button>
    </div>
    ${open === "other" && html`<${CallForm} desk=${desk} alert=${alert} id="other" whom=${null} />`}
    <${Calls} desk=${desk} alert=${alert} />
  </section>`;
}

/** In the order they first came in: nobody moves under a pressing hand because an hour begins or ends. */
function useSteady(people) {
  const order = useRef(/** @type {string[]} */ ([]));
  for (const { id } of people) if (!order.current.includes(id)) order.current.push(id);
  return [...people].sort((a, b) => order.current.indexOf(a.id) - order.current.indexOf(b.id));
}

function Person({ desk, alert, each, open, onToggle, onCall }) {
  const { id, name, role, phone, reachable, why, distance_m: far, last_call: last } = each;
  const now = desk.now.value;
  return html`<li class="person ${reachable ? "" : "away"}" data-contact=${id} data-reachable=${reachable}>
    <p><b>${name}</b> <span>${word("role", role)}</span>${far !== null && html` <span class="num">${t("near.metres", { n: integer(far) })}</span>`}</p>
    ${phone ? html`<a class="dial num" href=${`tel:${phone}`} onClick=${onCall}><${Icon} name="phone" />${phone}</a>` : html`<span class="muted">${t("contacts.no_phone")}</span>`}
    <button aria-expanded=${open} aria-label=${t("calls.record", { name })} onClick=${onToggle}>${t("calls.record_short")}</button>
    ${!reachable && why === "off_hours" && html`<p class="why-not"><${Icon} name="away" />${each.reachable_from ? t("contacts.off_hours", { time: moment(Date.parse(each.reachable_from), now) }) : t("contacts.off_hours_always")}</p>`}
    ${last && html`<p class="last-call num" data-last-call=${last.result}>${t("calls.last", { result: word("outcome", last.result), time: moment(Date.parse(last.at), now), by: last.by })}</p>`}
    ${open && html`<${CallForm} desk=${desk} alert=${alert} id=${id} whom=${{ contact_id: id }} />`}
  </li>`;
}

/** Whom to call about an alarm that is not stored yet: what the server remembers. */
export function Remembered({ alert }) {
  const people = alert.contacts ?? [];
  return html`<section class="contacts" aria-label=${t("contacts.title")} data-remembered=${people.length}>
    <h3>${t("contacts.title")}</h3>
    ${!people.length && html`<p class="why">${t("provisional.no_phone")}</p>`}
    <ul class="people">${people.map((each) => html`<li key=${each.phone} class="person ${each.reachable ? "" : "away"}">
      <p><b>${each.name}</b> <span>${word("role", each.role)}</span></p>
      <a class="dial num" href=${`tel:${each.phone}`}><${Icon} name="phone" />${each.phone}</a>
      ${!each.reachable && html`<p class="why-not"><${Icon} name="away" />${t("contacts.off_hours_always")}</p>`}
    </li>`)}</ul>
    ${people.length > 0 && html`<p class="muted">${t("provisional.remembered")}</p>`}
  </section>`;
}

/** Every call about the alert, newest first. */
function Calls({ desk, alert }) {
  const { data, error } = desk.dossier.of("calls", alert.id);
  const now = desk.now.value;
  const calls = [...(data?.items ?? [])].reverse();
  return html`${error && html`<p class="trouble" role="alert">${t("board.failed", { message: error })}</p>`}
    ${calls.length > 0 && html`<h3>${t("calls.title", { n: integer(calls.length) })}</h3>`}
    <ol class="calls">${calls.map((call) => html`<li key=${call.id} data-call=${call.id} data-result=${call.result}>
      <time class="num">${moment(Date.parse(call.at), now)}</time>
      <span><b>${word("outcome", call.result)}</b> ${call.name} <span class="num">${call.number}</span> <span class="muted">${[word("direction", call.direction), word("purpose", call.purpose), call.by].join(" · ")}</span>
        ${call.said && html`<br /><span class="said">${call.said}</span>`}
        ${call.recording && html`<br /><span class="muted">${t(call.recording_kept ? "calls.recording_at" : "calls.recording_gone", { recording: call.recording })}</span>`}</span>
    </li>`)}</ol>`;
}

/** The call on which a verification by phone was said, as it is offered: the last one that somebody answered. */
export const callText = (call) => t("calls.offered", { name: call.name, number: call.number ?? "", time: clockTime(Date.parse(call.at)) });
