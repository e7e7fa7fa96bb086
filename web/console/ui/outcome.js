// What became of an act or a request, in words.
import { html } from "../vendor/htm-preact.mjs";
import { clockTime, t, word } from "../core/i18n.js";

/** The words of a refusal: ours for what kind it is, the server's for why. */
function refusal(code, message) {
  const known = word("error", code);
  return t("act.refused", { message: known === code ? message : `${known}${message ? ` (${message})` : ""}` });
}

export function outcomeText(verb, { phase, by, at, code, message }, me) {
  const values = { by: by === me ? t("act.you", { name: me }) : by || t("act.system"), time: at ? clockTime(at) : "–", message: message ?? "" };
  if (phase === "refused") return refusal(code, message);
  if (phase === "changed" && !message) return t("act.overtaken");
  if (phase === "done" || phase === "waiting") return phase === "done" ? t(`act.done_${verb}`, values) : t(`act.waiting_${verb}`, values);
  return t(`act.${phase}`, values);
}

/** The result of an act on an alert; `verb` undefined: of none. */
export function Outcome({ desk, alert, verb }) {
  const outcome = verb && desk.acts.outcome(alert.id, verb);
  return html`<p role="status" class="outcome ${outcome?.phase ?? ""}" data-outcome=${outcome?.phase ?? ""} data-verb=${verb}>${
    outcome ? (outcome.phase === "doing" ? t("act.sending") : outcomeText(verb, outcome, desk.operator.value?.username)) : ""
  }</p>`;
}

/** Codes whose words are about an alert. */
const OF_ALERTS = new Set(["conflict", "not_found"]);

/** The result of what was sent otherwise; `done`: the words for a good end. */
export function Result({ desk, name, done }) {
  const result = desk.requests.result(name);
  const text = !result ? "" : result.phase === "refused" ? refusal(OF_ALERTS.has(result.code) ? "" : result.code, result.message) : result.phase === "done" ? done : t(`request.${result.phase}`);
  return html`<p role="status" class="outcome ${result?.phase ?? ""}" data-result=${result?.phase ?? ""}>${text}</p>`;
}
