// 四色风险: units and grids, the worst first, each with the parts of its score and what takes from them.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { integer, moment, percent, t, titleIn, word } from "../core/i18n.js";
import { BANDS, bandOf, heaviest, isOld, riskOf } from "../core/risk.js";
import { Asking, useAnswer } from "./entries.js";
import { Letter, ageWords } from "./riskmode.js";

const EVERY_MS = 15_000;
const FIRST = 30;
const MORE = 100;
const REASONS = 3;

export function RiskPanel({ desk }) {
  const [by, setBy] = useState("unit");
  const [band, setBand] = useState("");
  const [limit, setLimit] = useState(FIRST);
  const answer = useAnswer(() => riskOf(desk.api, { by, limit: String(limit), ...(band && { band }) }), [by, band, limit], EVERY_MS);
  const page = answer.data;
  const now = desk.now.value;
  const old = page !== null && isOld(page, now);
  return html`<div class="risk" data-risk=${by} data-old=${old}>
    <div class="risk-by" role="group" aria-label=${t("risk.by")}>${["unit", "grid"].map((each) => html`<button key=${each} data-by=${each} aria-pressed=${by === each} onClick=${() => setBy(each)}>${t(`risk.${each}`)}</button>`)}</div>
    ${page && html`<p class="num ${old ? "risk-old" : "muted"}" role=${old ? "alert" : null}>${ageWords(page, now, old)}</p>
      <div class="risk-counts" role="group" aria-label=${t("risk.counts")}>${BANDS.map((each) => html`<button key=${each} data-count=${each} aria-pressed=${band === each} onClick=${() => setBand(band === each ? "" : each)}>
        <${Letter} band=${each} /> ${word("risk_band", each)} <b class="num">${integer(page.counts[each])}</b></button>`)}</div>
      <p class="risk-why">${t("risk.meaning")}</p>`}
    <${Asking} answer=${answer} none=${page?.items.length === 0 ? t(page.computed_at ? "risk.none" : "risk.never") : ""} />
    <ol class="risk-list">${page?.items.map((item) => html`<${Item} key=${`${item.by} ${item.code}`} desk=${desk} item=${item} now=${now} />`)}</ol>
    ${page?.next_cursor && limit < 1000 && html`<button onClick=${() => setLimit(Math.min(limit + MORE, 1000))}>${t("risk.more")}</button>`}
  </div>`;
}

function Item({ desk, item, now }) {
  const name = html`<b>${item.name || item.code}</b>`;
  return html`<li class="risk-item" data-risk-of=${item.code} data-band=${bandOf(item)}>
    <p class="risk-head">${item.by === "unit" ? html`<button class="link" onClick=${() => desk.openUnit(item.code)}>${name}</button>` : name} <span class="muted">${item.by === "unit" ? item.grid : t("risk.units", { n: integer(item.units ?? 0) })}</span></p>
    <${Standing} item=${item} now=${now} />
    <${Why} item=${item} />
    ${item.worst.length > 0 && html`<p>${t("risk.worst")} ${item.worst.map(({ unit, name: known }) => html`<button class="link" key=${unit} onClick=${() => desk.openUnit(unit)}>${known || unit}</button> `)}</p>`}
    <details><summary>${t("risk.parts")}</summary><${Parts} item=${item} /></details>
  </li>`;
}

/** Letter, word, score, since when, and on how much it rests. */
function Standing({ item, now }) {
  const band = bandOf(item);
  return html`<p class="risk-standing"><${Letter} band=${band} /> <b>${word("risk_band", band)}</b>
    ${item.score !== null && html`<span class="num">${t("risk.score", { n: integer(item.score) })}</span>`}
    <span class="num muted">${t("risk.since", { time: moment(Date.parse(item.since), now) })}</span>
    ${item.share_known < 0.995 && html`<span class="num">${t("risk.known", { share: percent(item.share_known) })}</span>`}</p>`;
}

/** What holds it down, and the heaviest reasons. */
function Why({ item }) {
  const reasons = heaviest(item, REASONS);
  return html`${item.held_by && html`<p><b>${titleIn(item.held_by)}</b></p>`}
    ${reasons.length > 0 && html`<p class="risk-why">${reasons.map((reason) => titleIn(reason)).join(" · ")}</p>`}`;
}

function Parts({ item }) {
  return html`<dl class="risk-parts">${item.parts.map((part) => html`<div key=${part.part} data-part=${part.part}>
    <dt>${word("risk_part", part.part)}</dt>
    <dd>${part.score === null ? html`<span class="muted">${t("risk.unknown_part")}</span>` : html`<progress max="100" value=${part.score} aria-label=${word("risk_part", part.part)}></progress> <span class="num">${integer(part.score)}</span>`}
      <span class="risk-why">${part.reasons.map((reason) => titleIn(reason)).join(" · ")}</span></dd>
  </div>`)}</dl>`;
}

/** One line of a unit's file, with its reasons. */
export function RiskOfUnit({ desk, unit }) {
  const answer = useAnswer(() => riskOf(desk.api, { by: "unit", unit }), [unit], EVERY_MS);
  const page = answer.data;
  const item = page?.items[0];
  const now = desk.now.value;
  if (!page) return html`<${Asking} answer=${answer} />`;
  if (!item) return html`<p class="muted" data-risk-line>${t("risk.never")}</p>`;
  const old = isOld(page, now);
  return html`<div class="risk-line" data-risk-line data-band=${bandOf(item)} data-old=${old}>
    <${Standing} item=${item} now=${now} />
    <${Why} item=${item} />
    ${old && html`<p class="risk-old">${ageWords(page, now, old)}</p>`}
    <details><summary>${t("risk.parts")}</summary><${Parts} item=${item} /></details>
  </div>`;
}
