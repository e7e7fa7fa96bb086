// 拒收记录: what could not be used and why, newest first; the engineer of a unit is told exactly this.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { integer, moment, t } from "../core/i18n.js";
import { Asking, useAnswer } from "./entries.js";

const EVERY_MS = 10_000;

export function RejectsPanel({ desk }) {
  const [unit, setUnit] = useState("");
  const answer = useAnswer(() => desk.api.rejects(unit), [unit], EVERY_MS);
  const now = desk.now.value;
  const items = answer.data?.items ?? [];
  const reasons = new Map();
  for (const { reason } of items) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return html`<p class="muted">${t("rejects.explained")}</p>
    <label>${t("rejects.unit")} <input name="unit" value=${unit} onChange=${(event) => setUnit(event.currentTarget.value.trim())} /></label>
    <${Asking} answer=${answer} none=${answer.data && !items.length ? t("rejects.none") : ""} />
    <p class="counts-by">${[...reasons].map(([reason, n]) => html`<span key=${reason} class="tag">${reason} <b class="num">${integer(n)}</b></span>`)}</p>
    <ul class="entries">${items.map((reject) => html`<li key=${reject.id} class="entry reject" data-reject=${reject.reason}>
      <p><b>${reject.reason}</b> <span class="num muted">${moment(Date.parse(reject.at), now)}</span></p>
      <p class="num">${reject.topic}</p><p>${reject.detail}</p>
      <pre class="payload" tabindex="0">${(reject.payload_text ?? reject.payload_base64).slice(0, 500)}</pre></li>`)}</ul>`;
}
