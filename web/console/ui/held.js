// Out of the queue for a time: who, why, until when, because of what; never a fire. And what of the queue belongs to an announced test.
import { html } from "./html.js";
import { integer, t, titleOf, word } from "../core/i18n.js";
import { isTesting } from "../core/marks.js";
import { focusQueue } from "./app.js";
import { placeOf, stateOf } from "./row.js";
import { holdWords } from "./standing.js";
import { Symbol } from "./symbol.js";

const LISTED = 100;

export function HeldList({ desk }) {
  const { held, queue } = desk.view.value;
  const testing = queue.filter(isTesting);
  const now = desk.now.value;
  return html`<p class="muted">${t("held.explained")}</p>
    ${!held.length && html`<p>${t("held.none")}</p>`}
    <${Entries} desk=${desk} alerts=${held} said=${(alert) => html`<b>${word("hold", alert.hold)}</b> ${holdWords(desk, alert, now)}`} />
    ${testing.length > 0 && html`<h3 data-in-test=${testing.length}>${word("flag", "in_test")} <span class="num">${integer(testing.length)}</span></h3>
      <p class="muted">${t("held.in_test")}</p>
      <${Entries} desk=${desk} alerts=${testing} said=${stateOf} />`}`;
}

/** `said(alert)`: why it is here. */
function Entries({ desk, alerts, said }) {
  return html`<ul class="entries">${alerts.slice(0, LISTED).map((alert) => html`<li key=${alert.id} class="entry held" data-held-alert=${alert.id}>
      <${Symbol} priority=${alert.priority} />
      <div>
        <button class="link" onClick=${() => {
          desk.select(alert.id);
          focusQueue();
        }}><b>${titleOf(alert)}</b> ${placeOf(alert)}</button>
        <p>${said(alert)}</p>
      </div>
    </li>`)}</ul>
    ${alerts.length > LISTED && html`<p class="muted">${t("list.more", { n: integer(alerts.length - LISTED) })}</p>`}`;
}
