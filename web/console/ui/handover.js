// 转警: how far the hand-over of an alert to 119 has come, in one line under its steps; and every message with its receipt.
import { html } from "./html.js";
import { clockTime, integer, moment, t, word } from "../core/i18n.js";
import { isForwardable, isForwarded, redFrom } from "../core/marks.js";
import { Icon } from "./icons.js";

/** What is known of the hand-over: `state`, its sentence, and whether it is red. */
function standing(alert, now) {
  const { handover } = alert;
  if (!isForwarded(alert) && !handover) return null;
  if (handover?.cancel) return { state: "cancelled", text: t("handover.cancelled", { state: word("message_state", handover.cancel) }), red: handover.cancel === "failed" };
  if (!isForwarded(alert)) return null; // of before it was opened again
  const red = !alert.receipted_at && now >= redFrom(alert);
  if (!handover) {
    return alert.receipted_at
      ? { state: "by_phone", text: t("handover.by_phone", { time: clockTime(Date.parse(alert.receipted_at)) }), red: false }
      : { state: "call", text: t("handover.call"), red };
  }
  const { state, receipt, tries, trouble } = handover;
  if (state === "received") return { state, text: t("handover.received", { number: receipt?.number ?? "–", person: receipt?.person ?? "–", time: receipt ? clockTime(Date.parse(receipt.at)) : "–" }), red: false };
  if (state === "by_phone") return { state, text: t("handover.by_phone", { time: clockTime(Date.parse(alert.receipted_at)) }), red: false };
  const tried = tries ? t("handover.tries", { n: integer(tries) }) : "";
  return { state, text: [t(red ? `handover.${state}_red` : `handover.${state}`, { time: clockTime(Date.parse(handover.due_at)) }), tried, state === "failed" && trouble].filter(Boolean).join(" · "), red };
}

/** `inScript`: what to say on the telephone is in sight already. */
export function Handover({ desk, alert, inScript = false }) {
  if (!isForwardable(alert)) return null;
  const found = standing(alert, desk.now.value);
  const more = alert.handover && !alert.handover.cancel ? alert.handover.unreceived - (alert.handover.state === "received" ? 0 : 1) : 0;
  return html`<div class="handover ${found?.red ? "red" : ""}" data-handover=${found?.state ?? ""} data-red=${found?.red ?? false}>
    <p role="status">${found && html`<${Icon} name=${found.red ? "overdue" : "phone"} /><b>119</b> ${found.text}${more > 0 && html` <span class="num">${t("handover.unreceived", { n: integer(more) })}</span>`}`}</p>
    ${!inScript && alert.state !== "closed" && html`<button data-script class=${found?.red || found?.state === "call" ? "danger" : ""} onClick=${() => desk.openScript()}><${Icon} name="phone" />${t("script.open")} <kbd>1</kbd></button>`}
  </div>`;
}

/** Every message to 119 about the alert, in the order they are sent in; nothing where there is none. */
export function Messages({ desk, alert }) {
  const { error } = desk.dossier.of("messages", alert.id);
  const messages = desk.dossier.rows("messages", alert.id);
  const now = desk.now.value;
  if (!messages.length && !error) return null;
  return html`<section class="messages" aria-label=${t("handover.messages")} data-messages>
    <h3>${t("handover.messages")}</h3>
    ${error && html`<p class="trouble" role="alert">${t("board.failed", { message: error })}</p>`}
    <ol class="letters">${messages.map((each) => html`<li key=${each.key} class="letter ${each.state === "failed" ? "bad" : ""}" data-message=${each.kind} data-message-state=${each.state}>
      <p><b>${word("message", each.kind)}</b> ${each.state === "failed" && html`<${Icon} name="overdue" />`}<b>${word("message_state", each.state)}</b> <span class="muted num">${moment(Date.parse(each.created_at), now)} · ${each.actor}</span></p>
      ${each.text && html`<p class="said">${each.text}</p>`}
      ${each.receipt && html`<p class="num">${t("handover.received", { number: each.receipt.number, person: each.receipt.person, time: moment(Date.parse(each.receipt.at), now) })}</p>`}
      ${!each.receipt && each.tries > 0 && html`<p class="num">${[t("handover.tries", { n: integer(each.tries) }), each.trouble].filter(Boolean).join(" · ")}</p>`}
    </li>`)}</ol>
  </section>`;
}
