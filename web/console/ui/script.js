// 话术: what to say to 119 on the telephone, in big letters; who took it is recorded on the same panel.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { serverLanguage, t, titleIn, word } from "../core/i18n.js";
import { awaitsReceipt, isForwarded } from "../core/marks.js";
import { offers } from "../core/offers.js";
import { isProvisional } from "../core/provisional.js";
import { ActForm } from "./actform.js";
import { CallForm } from "./callform.js";
import { Remembered } from "./contacts.js";
import { useAnswer } from "./entries.js";
import { Handover } from "./handover.js";
import { Icon } from "./icons.js";
import { Outcome } from "./outcome.js";
import { placeOf } from "./row.js";

const NOT_TAKEN = ["no_answer", "busy", "unreachable"];
const BY_VOICE = { channel: "voice" };

export function ScriptPanel({ desk }) {
  const alert = desk.selected.value;
  if (!alert) return html`<p>${t("script.none")}</p>`;
  if (isProvisional(alert)) return html`<${Unstored} key=${alert.id} alert=${alert} />`;
  return html`<${Script} key=${alert.id} desk=${desk} alert=${alert} />`;
}

/** Of an alarm that is not stored yet: what is known of it without the store, to be read out all the same. */
function Unstored({ alert }) {
  const [lang, setLang] = useState(serverLanguage());
  const other = lang === "zh" ? "en" : "zh";
  return html`<div class="script" data-script-of=${alert.id} data-unstored-script>
    <p class="unstored-big"><${Icon} name="unstored" /><b>${t("provisional.word")}</b></p>
    <p class="why">${t("script.unstored")}</p>
    <div class="act-buttons">
      <a class="dial big" href="tel:119"><${Icon} name="phone" />119</a>
      <button lang=${other === "en" ? "en" : "zh-CN"} onClick=${() => setLang(other)}>${other === "en" ? "English" : "中文"}</button>
    </div>
    <dl class="lines" lang=${lang === "en" ? "en" : "zh-CN"}>${known(alert, lang).map((line) => html`<div key=${line.part} data-part=${line.part}><dt>${line.label}</dt><dd>${line.text}</dd></div>`)}</dl>
    <${Remembered} alert=${alert} />
  </div>`;
}

function Script({ desk, alert }) {
  const [lang, setLang] = useState(serverLanguage());
  const script = useAnswer(() => desk.api.script(alert.id, lang), [alert.id, lang, alert.version]);
  const lines = script.data?.lang === lang ? script.data.lines : script.error ? known(alert, lang) : null;
  const other = lang === "zh" ? "en" : "zh";
  return html`<div class="script" data-script-of=${alert.id}>
    <div class="act-buttons">
      <a class="dial big" href="tel:119"><${Icon} name="phone" />119</a>
      <button lang=${other === "en" ? "en" : "zh-CN"} onClick=${() => setLang(other)}>${other === "en" ? "English" : "中文"}</button>
    </div>
    <p class="muted">${placeOf(alert)}</p>
    <${Handover} desk=${desk} alert=${alert} inScript=${true} />
    ${script.error && html`<p class="trouble" role="alert">${t("script.failed", { message: script.error })}</p>`}
    ${!lines && html`<p class="muted">${t("board.loading")}</p>`}
    <dl class="lines" lang=${lang === "en" ? "en" : "zh-CN"}>${lines?.map((line) => html`<div key=${line.part} data-part=${line.part}><dt>${line.label}</dt><dd>${line.text}</dd></div>`)}</dl>
    ${!isForwarded(alert) && alert.state !== "closed" && html`<p class="why">${t("script.not_forwarded")}</p>`}
    ${awaitsReceipt(alert) && html`
      <h3>${t("script.receipt")}</h3>
      <${ActForm} key=${`receipt-${alert.id}`} desk=${desk} alert=${alert} verb="receipt" given=${BY_VOICE} />`}
    ${offers(alert, "receipt") && html`<${Outcome} desk=${desk} alert=${alert} verb="receipt" />`}
    <h3>${t("script.not_taken")}</h3>
    <${CallForm} desk=${desk} alert=${alert} id="119" whom=${{ purpose: "119" }} results=${NOT_TAKEN} />
  </div>`;
}

/** What this page knows itself, where the server's words cannot be had. */
function known(alert, lang) {
  const title = lang === "en" ? alert.title?.en : alert.title?.zh;
  const place = [alert.unit_name ?? alert.unit ?? alert.subject, alert.address, alert.place, alert.component].filter(Boolean).join(", ");
  const lines = [
    { part: "place", label: t("script.place"), text: place },
    { part: "burns", label: t("script.burns"), text: [...new Set([title ?? titleIn(alert.title), word("class", alert.class), alert.text])].filter(Boolean).join(", ") },
  ];
  if (alert.lon !== null && alert.lon !== undefined) lines.push({ part: "access", label: t("detail.coordinates"), text: `${alert.lon.toFixed(6)}, ${alert.lat.toFixed(6)} (WGS-84)` });
  return lines;
}
