// Out of the queue for a time: who, why, until when, because of what. Never a fire.
import { html } from "../vendor/htm-preact.mjs";
import { t, titleOf, word } from "../core/i18n.js";
import { focusQueue } from "./app.js";
import { placeOf } from "./row.js";
import { holdWords } from "./standing.js";
import { Symbol } from "./symbol.js";

const LISTED = 100;

export function HeldList({ desk }) {
  const { held } = desk.view.value;
  const now = desk.now.value;
  return html`<p class="muted">${t("held.explained")}</p>
    ${!held.length && html`<p>${t("held.none")}</p>`}
    <ul class="entries">${held.slice(0, LISTED).map((alert) => html`<li key=${alert.id} class="entry held" data-held-alert=${alert.id}>
      <${Symbol} priority=${alert.priority} />
      <div>
        <button class="link" onClick=${() => {
          desk.select(alert.id);
          focusQueue();
        }}><b>${titleOf(alert)}</b> ${placeOf(alert)}</button>
        <p><b>${word("hold", alert.hold)}</b> ${holdWords(desk, alert, now)}</p>
      </div>
    </li>`)}</ul>
    ${held.length > LISTED && html`<p class="muted">${t("panel.more", { n: held.length - LISTED })}</p>`}`;
}
