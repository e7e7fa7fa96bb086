// The countdown to the next deadline of a fire: a clock while it runs, a stop sign and a word once it is over.
import { html } from "./html.js";
import { t, word } from "../core/i18n.js";
import { countdown, dueOf } from "../core/due.js";
import { Icon } from "./icons.js";

/** In a row: what is left, or how long it is overdue. Its place is kept, so that nothing moves when it turns. */
export function DueMark({ alert, now, live }) {
  const due = dueOf(alert, now);
  if (!due) return null;
  // of an old list nobody knows whether it was done meanwhile
  if (!live) return html`<span class="due"><${Icon} name="due" /><span class="num">–:––</span></span>`;
  const { overdue, leftMs, deadline } = due;
  return html`<span class="due ${overdue ? "overdue" : ""}" data-due=${deadline} data-overdue=${overdue}>
    <${Icon} name=${overdue ? "overdue" : "due"} />${overdue && html`<b>${t("due.overdue")}</b>`}<span class="num">${countdown(leftMs)}</span>
  </span>`;
}

/** In the detail: what is awaited, until when, and how long that leaves. */
export function DueLine({ desk, alert }) {
  const due = desk.feedStatus.value === "live" ? dueOf(alert, desk.now.value) : null;
  if (!due) return null;
  const { deadline, limitMs, overdue, leftMs } = due;
  const limit = t("due.limit", { limit: countdown(limitMs) });
  return html`<p class="due due-line ${overdue ? "overdue" : ""}" role="timer" data-due=${deadline} data-overdue=${overdue}>
    <${Icon} name=${overdue ? "overdue" : "due"} /><b>${word("due_of", deadline)}</b>
    ${overdue ? html`<b>${t("due.overdue")}</b>` : html`<span>${t("due.left")}</span>`}
    <b class="num">${countdown(leftMs)}</b> <small>${limit}</small>
  </p>`;
}
