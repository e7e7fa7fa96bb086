// 规则库: the rulebook in force, each limit with its source; to read, not to change.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { integer, t, titleIn, word } from "../core/i18n.js";
import { Asking, useAnswer } from "./entries.js";

export function RulesPanel({ desk }) {
  const answer = useAnswer(() => desk.api.rules(), []);
  const [words, setWords] = useState("");
  const wanted = words.trim().toLowerCase();
  const items = (answer.data?.items ?? []).filter((rule) => `${rule.id} ${rule.title.zh} ${rule.title.en} ${rule.kinds.join(" ")} ${rule.class}`.toLowerCase().includes(wanted));
  return html`<p class="muted">${t("rules.explained")}</p>
    <label>${t("rules.find")} <input name="words" value=${words} onInput=${(event) => setWords(event.currentTarget.value)} /></label>
    <${Asking} answer=${answer} />
    ${answer.data && html`<p class="num">${t("rules.count", { n: integer(items.length) })}</p>`}
    <ul class="entries">${items.map((rule) => html`<li key=${rule.id} class="rule" data-rule=${rule.id}><details>
      <summary><b>${titleIn(rule.title)}</b> · ${word("class", rule.class)} ${rule.shadow ? html`<span class="tag">${t("rules.shadow")}</span>` : ""}${rule.loosened ? html`<span class="tag">${t("rules.loosened")}</span>` : ""}</summary>
      <p>${titleIn(rule.advice)}</p>
      <p class="muted num">${rule.id} v${rule.version} · ${rule.kinds.length ? rule.kinds.map((kind) => word("kind", kind)).join(", ") : t("rules.any_kind")}${rule.metric ? ` · ${word("metric", rule.metric)}` : ""} · ${rule.where ?? ""}</p>
      <pre class="payload" tabindex="0">${JSON.stringify(given(rule.condition), null, 1)}</pre>
    </details></li>`)}</ul>`;
}

/** What stands in a condition, without what is not given. */
function given(part) {
  if (Array.isArray(part)) return part.map(given);
  if (part === null || typeof part !== "object") return part;
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => [name, given(value)]));
}
