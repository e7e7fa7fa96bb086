// 规则库: the rulebook in force as sentences with limit, way back, delay and source; what each rule raised; the way to a back-test.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { integer, t, titleIn, word } from "../core/i18n.js";
import { amount, scheduleOf, sentencesOf, span } from "../core/rulewords.js";
import { Asking, useAnswer } from "./entries.js";

const EVERY_KIND = 11;
const NO_FILTER = { words: "", class: "", kind: "", metric: "" };

export function RulesPanel({ desk }) {
  const answer = useAnswer(() => desk.api.rules(), []);
  const [filter, setFilter] = useState(desk.drafts.get("rules") ?? NO_FILTER);
  const all = answer.data?.items ?? [];
  const titles = new Map(all.map((rule) => [rule.id, titleIn(rule.title)]));
  const change = (part) => {
    const next = { ...filter, ...part };
    desk.drafts.put("rules", next); // coming back from a back-test finds it as it was
    setFilter(next);
  };
  const wanted = filter.words.trim().toLowerCase();
  const items = all.filter((rule) => (!filter.class || rule.class === filter.class) && (!filter.kind || rule.kinds.includes(filter.kind)) && (!filter.metric || rule.metric === filter.metric)
    && `${rule.id} ${rule.title.zh} ${rule.title.en}`.toLowerCase().includes(wanted));
  const choices = (name, values) => html`<label>${t(`rules.by_${name}`)} <select name=${`rule-${name}`} value=${filter[name]} onChange=${(event) => change({ [name]: event.currentTarget.value })}>
    <option value="">${t("rules.all")}</option>${[...new Set(values)].map((value) => html`<option key=${value} value=${value}>${word(name, value)}</option>`)}</select></label>`;
  return html`<p class="muted">${t("rules.explained")}</p>
    <div class="act-buttons"><button data-opens="backtest" onClick=${() => desk.openPanel("backtest")}>${t("panel.backtest")}</button></div>
    <div class="filters"><label>${t("rules.find")} <input name="words" value=${filter.words} onInput=${(event) => change({ words: event.currentTarget.value })} /></label>
      ${choices("class", all.map((rule) => rule.class))}${choices("kind", all.flatMap((rule) => rule.kinds).sort())}${choices("metric", all.map((rule) => rule.metric).filter(Boolean).sort())}</div>
    <${Asking} answer=${answer} />
    ${answer.data && html`<p class="num" role="status">${t("rules.count", { n: integer(items.length) })}</p>`}
    <ul class="entries">${items.map((rule) => html`<${Rule} key=${rule.id} desk=${desk} rule=${rule} titles=${titles} />`)}</ul>`;
}

function Rule({ desk, rule, titles }) {
  const [open, setOpen] = useState(false);
  return html`<li class="rule" data-rule=${rule.id}><details open=${open} onToggle=${(event) => setOpen(event.currentTarget.open)}>
    <summary><b>${titleIn(rule.title)}</b> · ${word("class", rule.class)} ${rule.shadow ? html`<span class="tag">${t("rules.shadow")}</span>` : ""}${rule.loosened ? html`<span class="tag">${t("rules.loosened")}</span>` : ""}${rule.overrides.length > 0 && html`<span class="tag">${t("rules.overridden", { n: integer(rule.overrides.length) })}</span>`}</summary>
    ${open && html`<${Inside} desk=${desk} rule=${rule} titles=${titles} />`}
  </details></li>`;
}

function Inside({ desk, rule, titles }) {
  const file = useAnswer(() => desk.api.get(`/rules/${encodeURIComponent(rule.id)}`), [rule.id]);
  const raised = file.data?.raised;
  const admin = desk.operator.value?.role === "admin";
  const kinds = rule.kinds.length && rule.kinds.length < EVERY_KIND ? rule.kinds.map((kind) => word("kind", kind)).join(", ") : t("rules.any_kind");
  const facts = [
    ["of", [kinds, rule.metric && word("metric", rule.metric)].filter(Boolean).join(" · ")],
    ["schedule", scheduleOf(rule.schedule)],
    ["suppressed", rule.suppressed && titleIn(rule.suppressed.reason)],
    ["loosened_by", rule.loosened && `${rule.loosened.by} + ${rule.loosened.approved_by}: ${rule.loosened.reason}`],
    ["where", `${rule.id} v${rule.version} · ${rule.where ?? ""}`],
  ];
  return html`<ol class="bands">${sentencesOf(rule, titles).map(({ priority, text, title, source }, i) => html`<li key=${i} data-band=${priority}>
      ${priority !== null && html`<b class="tag">${word("priority", priority)}</b> `}${title && html`<b>${title}</b> `}${text}
      <small class="muted">${t("rules.source", { source })}</small></li>`)}</ol>
    <p>${t("rules.advice", { advice: titleIn(rule.advice) })}</p>
    <${Asking} answer=${file} />
    ${raised && html`<p class="num" data-raised=${raised.last_7_d}>${t("rules.raised", { open: integer(raised.open), day: integer(raised.last_24_h), week: integer(raised.last_7_d), false: integer(raised.false_7_d) })}
      <span class="unseen">${t("rules.by_day", { days: raised.by_day.join(", ") })}</span></p>${raised.last_7_d > 0 && html`<${Days} counts=${raised.by_day} />`}`}
    <dl class="facts">${facts.map(([name, value]) => value && html`<div key=${name}><dt>${t(`rules.${name}`)}</dt><dd>${value}</dd></div>`)}</dl>
    ${rule.overrides.length > 0 && html`<h4>${t("rules.overrides")}</h4><ul class="plain">${rule.overrides.map((each, i) => html`<li key=${i}>${overrideOf(each)}</li>`)}</ul>`}
    ${admin && file.data?.text && html`<p><button data-backtest=${rule.id} onClick=${() => {
      desk.drafts.put("backtest", { rule: rule.id });
      desk.openPanel("backtest");
    }}>${t("rules.try")}</button></p>`}
    <details class="fold"><summary>${t("rules.as_json")}</summary><pre class="payload" tabindex="0">${JSON.stringify(given(rule.condition), null, 1)}</pre></details>`;
}

/** Seven bars, the newest on the right; what each stands for is said in words beside them. */
const Days = ({ counts }) => {
  const most = Math.max(...counts);
  return html`<svg class="days" viewBox="0 0 70 24" aria-hidden="true">${counts.map((n, i) => html`<rect key=${i} x=${i * 10 + 1} y=${24 - Math.max((n / most) * 24, n ? 1 : 0)} width="8" height=${Math.max((n / most) * 24, n ? 1 : 0)} />`)}</svg>`;
};

/** Where an override holds, and what is other there. */
function overrideOf({ scope, off, bands, reason, source }) {
  const [level, value] = Object.entries(scope).find(([, each]) => each !== null && each !== undefined) ?? ["city", ""];
  const where = level === "city" ? word("scope", level) : `${word("scope", level)} ${level === "unit_category" ? word("category", value) : value}`;
  const fields = (band) => Object.entries(band).filter(([name, each]) => name !== "priority" && each !== null && each !== undefined)
    .map(([name, each]) => `${t(`rulefield.${name}`)} ${typeof each === "number" && !/samples|intervals/.test(name) ? span(each) : typeof each === "object" ? amount(each) : each}`).join(", ");
  const what = off ? t("rules.off_there") : bands.map((band) => `${word("priority", band.priority)}: ${fields(band)}`).join("; ");
  return t("rules.override", { where, what, reason, source });
}

/** What stands in a condition, without what is not given. */
function given(part) {
  if (Array.isArray(part)) return part.map(given);
  if (part === null || typeof part !== "object") return part;
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => [name, given(value)]));
}
