// What became of an act or a request, in words.
import { html } from "./html.js";
import { clockTime, language, t, word } from "../core/i18n.js";

/** The words of a refusal: in English the server's, with ours for what kind it is; else ours alone, and the server's are folded beneath. */
function refusal(code, message) {
  const known = language.value === "en" ? word("error", code) : code;
  return t("act.refused", { message: known === code ? message : `${known}${message ? ` (${message})` : ""}` });
}

/** Codes that say little without the server's own words. */
const VAGUE = new Set(["conflict", "invalid"]);

/** The server's own words, for whoever reads them, or reads them out to the administrator. */
export const Original = ({ outcome }) =>
  language.value !== "en" && outcome?.english && (outcome.phase === "refused" || outcome.phase === "changed")
    ? html`<details class="original" open=${VAGUE.has(outcome.code)}><summary>${t("error.original")}</summary><span lang="en">${outcome.english}</span></details>`
    : null;

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
  return html`<div role="status" class="outcome ${outcome?.phase ?? ""}" data-outcome=${outcome?.phase ?? ""} data-verb=${verb}>${
    outcome ? (outcome.phase === "doing" ? t("act.sending") : outcomeText(verb, outcome, desk.operator.value?.username)) : ""
  }<${Original} outcome=${outcome} /></div>`;
}

/** Codes whose words are about an alert. */
const OF_ALERTS = new Set(["conflict", "not_found"]);

/** The result of what was sent otherwise; `done`: the words for a good end. */
export function Result({ desk, name, done }) {
  const result = desk.requests.result(name);
  const text = !result ? "" : result.phase === "refused" ? refusal(OF_ALERTS.has(result.code) ? "" : result.code, result.message) : result.phase === "done" ? done : t(`request.${result.phase}`);
  return html`<div role="status" class="outcome ${result?.phase ?? ""}" data-result=${result?.phase ?? ""}>${text}<${Original} outcome=${result} /></div>`;
}
