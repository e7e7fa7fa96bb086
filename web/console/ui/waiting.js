// Acts that wait for the store, and what became of them: in sight until they are done, taken back or read.
import { html } from "./html.js";
import { clockTime, t, titleIn, word } from "../core/i18n.js";
import { Icon } from "./icons.js";
import { outcomeText } from "./outcome.js";
import { Symbol } from "./symbol.js";

export function Waiting({ desk }) {
  const seen = desk.waiting.seen();
  if (!seen.length) return null;
  const waiting = seen.filter((entry) => entry.phase === "waiting").length;
  return html`<section class="waiting-acts" aria-label=${t("waiting.label")} data-waiting=${waiting} tabindex="0">
    <b class="inline"><${Icon} name="waiting" />${waiting ? t("waiting.title", { n: waiting }) : t("waiting.ended", { n: seen.length })}</b>
    <ul>${seen.map((entry) => html`<${Act} key=${entry.key} desk=${desk} entry=${entry} />`)}</ul>
  </section>`;
}

function Act({ desk, entry }) {
  const { key, verb, phase, priority, id, since, tries } = entry;
  const still = phase === "waiting";
  return html`<li data-act=${phase}>
    <${Symbol} priority=${priority} />
    <b>${word("verb", verb)}</b>
    <span class="cut" title=${`${titleIn(entry.title)} ${entry.where}`}>${id === null ? "" : `#${id} `}${titleIn(entry.title)} ${entry.where}${verb === "note" ? `: ${entry.body.text}` : ""}</span>
    <span class="outcome ${still ? "" : phase}">${
      still ? t(id === null ? "waiting.unstored" : "waiting.since", { time: clockTime(since), n: tries }) : outcomeText(verb, entry, desk.operator.value?.username)
    }</span>
    <button onClick=${() => desk.withdraw(key)}>${t(still ? "waiting.withdraw" : "waiting.dismiss")}</button>
  </li>`;
}
