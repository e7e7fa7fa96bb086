// The acts on an alert, with their keys; of a fire its five steps in order, which are done, and which is next.
import { html } from "./html.js";
import { clockTime, t, word } from "../core/i18n.js";
import { isFire, isUnacknowledged, missingFor, nextStep, stepsOf } from "../core/marks.js";
import { VERBS, offers } from "../core/offers.js";
import { ActForm } from "./actform.js";
import { Handover } from "./handover.js";
import { Outcome } from "./outcome.js";

const KEY = { acknowledge: "A", verify: "V", forward: "F", receipt: "R", close: "C", "follow-up": "Shift F", cancel: "Shift C", shelve: "L", unshelve: "U", assign: "T", reopen: "U" };

export function ActBar({ desk, alert }) {
  const fire = isFire(alert) && alert.state !== "closed";
  const open = VERBS.find((verb) => desk.form.value === `${alert.id} ${verb}`);
  const others = VERBS.filter((verb) => offers(alert, verb) && !(fire && verb in STEP_VERBS));
  return html`<section class="acts" aria-label=${t("acts.label")}>
    ${fire && html`<${Steps} desk=${desk} alert=${alert} />`}
    ${others.length > 0 && html`<div class="act-buttons">${others.map((verb) => html`<${ActButton} key=${verb} desk=${desk} verb=${verb} open=${open === verb} />`)}</div>`}
    ${fire && html`<${Guidance} desk=${desk} alert=${alert} />`}
    <${Handover} desk=${desk} alert=${alert} />
    ${open && open !== "close" && html`<${ActForm} key=${`${alert.id} ${open}`} desk=${desk} alert=${alert} verb=${open} />`}
    <${Outcome} desk=${desk} alert=${alert} verb=${desk.acts.last.get(alert.id)} />
  </section>`;
}

const STEP_VERBS = { verify: true, forward: true, receipt: true, close: true };

const ActButton = ({ desk, verb, open, primary = false, number = 0 }) =>
  html`<button class=${primary ? "primary" : ""} aria-expanded=${open} data-verb=${verb} onClick=${() => desk.openForm(verb)}>${number > 0 && html`<span class="num">${number}</span> `}${word("verb", verb)} <kbd>${KEY[verb]}</kbd></button>`;

function Steps({ desk, alert }) {
  return html`<ol class="steps" aria-label=${t("steps.label")}>
    ${stepsOf(alert).map(({ name, done, at, next, spare }, i) => html`<li key=${name} class="step ${done ? "done" : ""} ${next ? "next" : ""}" data-step=${name} data-done=${done} aria-current=${next ? "step" : undefined}>
      ${name !== "acknowledge" && offers(alert, name)
        ? html`<span class="step-name"><${ActButton} desk=${desk} verb=${name} primary=${next} number=${i + 1} open=${desk.form.value === `${alert.id} ${name}`} /></span>`
        : html`<span class="step-name"><span class="num">${i + 1}</span> <b>${word("verb", name)}</b></span>`}
      ${done ? html`<span class="num step-at">✓ ${clockTime(at)}</span>` : html`<span class="step-at">${spare ? t("steps.spare") : next ? t("steps.now") : "–"}</span>`}
    </li>`)}
  </ol>`;
}

/** What to do now, and what closing as a real fire still lacks. */
function Guidance({ desk, alert }) {
  const next = nextStep(alert);
  const told = next === "receipt" ? alert.handover : desk.handsOver;
  const missing = missingFor(alert, "real_fire").filter((step) => step !== next);
  return html`<p class="guidance">${t((next === "forward" || next === "receipt") && told ? `steps.told_${next}` : `steps.do_${next}`)}
    ${alert.flags?.includes("second_signal") && !alert.verification && !isUnacknowledged(alert) && html` <b>${t("steps.second_signal")}</b>`}
    ${next !== "close" && missing.length > 0 && html` <span class="muted">${t("steps.missing", { steps: missing.map((step) => word("verb", step)).join(t("list.and")) })}</span>`}</p>`;
}
