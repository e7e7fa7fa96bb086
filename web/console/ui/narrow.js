// What narrows the queue: words, and beside them what may be chosen; each choice in sight as long as it holds, and the fires it would hide.
import { useRef } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { isUnit } from "../core/address.js";
import { integer, listed, t, word } from "../core/i18n.js";
import { demands, isTesting } from "../core/marks.js";
import { CHOICES, LONGEST_WORDS, NO_FILTER, isChosen, toggled } from "../core/search.js";
import { Symbol } from "./symbol.js";

const MOST_UNITS = 300;
const NAMED = 4;

/** `open`, `onOpen`: whether everything that may be chosen is in sight. */
export function Filter({ desk, open, onOpen }) {
  const composing = useRef(false);
  const filter = desk.filter.value;
  const take = (event) => {
    if (!composing.current) desk.setFilter({ q: event.currentTarget.value });
  };
  return html`<div class="filter">
    <input id="queue-filter" type="search" value=${filter.q} placeholder=${t("queue.filter")} aria-label=${t("queue.filter_label")} maxlength=${LONGEST_WORDS}
      autocomplete="off" spellcheck=${false} onInput=${take}
      onCompositionStart=${() => (composing.current = true)}
      onCompositionEnd=${(event) => {
        composing.current = false;
        take(event);
      }}
      onKeyDown=${(event) => {
        if (event.code === "Enter" && !event.isComposing) document.getElementById("queue-list")?.focus();
      }} />
    ${filter.q ? html`<button onClick=${() => desk.setFilter({ q: "" })}>${t("queue.filter_clear")}</button>` : html`<kbd>/</kbd>`}
    <button class="choice-chip ${isChosen(filter) ? "on" : ""}" data-narrow aria-expanded=${open} aria-controls="queue-choices" onClick=${onOpen}>${t("narrow.title")} ${open ? "▴" : "▾"}</button>
  </div>`;
}

/** All there is to choose while it is open; else only what is chosen, each to be taken back by a press. */
export function Choices({ desk, open }) {
  const filter = desk.filter.value;
  if (!open && !isChosen(filter)) return null;
  const toggle = (kind, value, label) => {
    const on = filter[kind].includes(value);
    if (!open && !on) return null;
    return html`<button key=${`${kind}-${value}`} class="choice-chip" data-choice=${`${kind}=${value}`} aria-pressed=${on} onClick=${() => desk.setFilter(toggled(filter, kind, value))}>${label}${!open && html` <span aria-hidden="true">✕</span>`}</button>`;
  };
  const group = (kind, label) => {
    const chips = CHOICES[kind].map((value) => toggle(kind, value, label(value))).filter(Boolean);
    return chips.length > 0 && html`<div class="choice-group" role="group" aria-label=${t(`narrow.${kind}`)}><span class="muted">${t(`narrow.${kind}`)}</span>${chips}</div>`;
  };
  return html`<div id="queue-choices" class="choices" data-narrowed=${isChosen(filter)}>
    ${group("priority", (value) => html`<${Symbol} priority=${Number(value)} /> ${word("priority", value)}`)}
    ${group("class", (value) => word("class", value))}
    ${group("state", (value) => word("state", value))}
    ${(open || filter.unit || filter.mine) && html`<div class="choice-group">
      ${(open || filter.unit) && html`<${Unit} desk=${desk} open=${open} />`}
      ${(open || filter.mine) && html`<button class="choice-chip" data-choice="mine" aria-pressed=${filter.mine} onClick=${() => desk.setFilter({ mine: !filter.mine })}>${t("narrow.mine")}${!open && html` <span aria-hidden="true">✕</span>`}</button>`}
    </div>`}
    ${isChosen(filter) && html`<button data-choice="none" onClick=${() => desk.setFilter({ ...NO_FILTER, q: filter.q })}>${t("narrow.none")}</button>`}
  </div>`;
}

/** Units with open alerts are offered; any other is found by its code. */
function Unit({ desk, open }) {
  const { unit } = desk.filter.value;
  const names = new Map();
  for (const alert of desk.alerts.value) if (alert.unit && names.size < MOST_UNITS && !names.has(alert.unit)) names.set(alert.unit, alert.unit_name ?? "");
  const name = names.get(unit);
  if (!open) return html`<button class="choice-chip" data-choice="unit" aria-pressed="true" onClick=${() => desk.setFilter({ unit: "" })}>${name || unit} <span aria-hidden="true">✕</span></button>`;
  const take = (event) => {
    const said = event.currentTarget.value.trim();
    const [code] = [...names].find(([each, called]) => each === said || called === said) ?? [said];
    const unit = isUnit(code) ? code : "";
    event.currentTarget.value = unit;
    desk.setFilter({ unit });
  };
  return html`<label class="inline"><span class="muted">${t("narrow.unit")}</span>
    <input name="narrow-unit" list="narrow-units" value=${unit} maxlength=${64} autocomplete="off" spellcheck=${false} onChange=${take} onKeyDown=${(event) => event.code === "Enter" && !event.isComposing && take(event)} /></label>
    ${name && html`<b class="cut">${name}</b>`}
    <datalist id="narrow-units">${[...names].map(([code, called]) => html`<option key=${code} value=${code}>${called}</option>`)}</datalist>`;
}

/** 筛选外火警: while a filter is on, its place is kept, so that a fire never moves the list under the hand. */
export function FiresOutside({ desk, fires, waiting }) {
  if (!desk.filtering.value) return null;
  return html`<div class="outside ${fires.length ? "some" : ""}" role="group" aria-label=${t("queue.outside_label")} data-fires-outside=${fires.length} data-waiting-outside=${waiting}>
    <b>${t("queue.outside", { n: integer(fires.length) })}</b>
    ${fires.slice(0, NAMED).map((alert) => html`<button key=${alert.id} class=${alert.id === desk.selectedId.value ? "selected" : ""} onClick=${() => desk.select(alert.id)}>
        <${Symbol} priority=${alert.priority} waiting=${demands(alert)} /><span class="cut">${isTesting(alert) ? `${word("flag", "in_test")} ` : ""}${alert.unit_name ?? alert.unit ?? alert.subject} ${alert.text || alert.place || ""}</span></button>`)}
    ${fires.length > NAMED && html`<span class="num">+${integer(fires.length - NAMED)}</span>`}
    ${waiting > 0 && html`<b class="others-outside">${t("narrow.waiting_outside", { n: integer(waiting) })}</b>`}
  </div>`;
}

/** What of a link could not be followed: said in words, as text only. */
export function Unfollowed({ desk }) {
  const found = desk.unfollowed.value;
  if (!found) return null;
  return html`<div class="unfollowed" role="status" data-unfollowed>
    ${found.ignored?.length > 0 && html`<span>${t("link.ignored", { what: listed(found.ignored) })}</span>`}
    ${found.alert && html`<span>${t("link.alert", { id: found.alert, why: found.why })}</span>`}
    <button onClick=${() => (desk.unfollowed.value = null)}>${t("banner.read")}</button></div>`;
}
