// 拒收记录: what could not be used, why, and what to do about it; by reason, unit, device and topic; what is registered by now is tried again.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { integer, moment, t, word } from "../core/i18n.js";
import { Asking, useAnswer } from "./entries.js";
import { Result } from "./outcome.js";
import { Units } from "./units.js";

const EVERY_MS = 10_000;
const MOST = 100;
const SHOWN = 500;
const REPLAYABLE = "unknown_device";
const NOTHING = { unit: "", device: "", reason: "", topic: "" };

export function RejectsPanel({ desk }) {
  const [filter, setFilter] = useState({ ...NOTHING, ...desk.drafts.get("rejects") });
  const key = JSON.stringify(filter);
  const answer = useAnswer(() => desk.api.get("/rejects", { ...filter, limit: MOST }), [key], EVERY_MS);
  const counts = useAnswer(() => desk.api.get("/rejects/counts", { ...filter, reason: "" }), [key], EVERY_MS);
  const [older, setOlder] = useState({ key: "", items: /** @type {any[]} */ ([]), cursor: /** @type {string | null | undefined} */ (undefined) });
  const [sure, setSure] = useState(false);
  const now = desk.now.value;
  const first = answer.data?.items ?? [];
  const known = older.key === key ? older : { items: [], cursor: undefined };
  const seen = new Set(first.map(({ id }) => id));
  const items = [...first, ...known.items.filter(({ id }) => !seen.has(id))];
  const cursor = known.cursor === undefined ? answer.data?.next_cursor : known.cursor;
  const by = counts.data?.items ?? [];
  const change = (part) => {
    const next = { ...filter, ...part };
    desk.drafts.put("rejects", next);
    setFilter(next);
    setSure(false);
  };
  const more = async () => {
    const page = await desk.api.get("/rejects", { ...filter, limit: MOST, cursor });
    if (page.ok) setOlder({ key, items: [...known.items, ...page.data.items], cursor: page.data.next_cursor });
  };
  const again = async () => {
    setSure(false);
    const sent = await desk.requests.send("replay", "/rejects/replay", { reason: REPLAYABLE, ...(filter.unit ? { unit: filter.unit } : {}), ...(filter.device ? { device: filter.device } : {}) });
    if (sent?.phase === "done") counts.again();
  };
  const unregistered = by.find(({ reason }) => reason === REPLAYABLE)?.count ?? 0;
  const may = ["operator", "admin"].includes(desk.operator.value?.role);
  const asked = desk.requests.result("replay")?.data?.asked;
  return html`<p class="muted">${t("rejects.explained")}</p>
    <div class="filters"><${Units} desk=${desk} label=${t("rejects.unit")} value=${filter.unit} onInput=${(unit) => change({ unit: unit.trim() })} />
      <label class="line-field">${t("rejects.device")}<input name="device" value=${filter.device} onChange=${(event) => change({ device: event.currentTarget.value.trim() })} /></label>
      <label class="line-field">${t("rejects.topic")}<input name="topic" value=${filter.topic} onChange=${(event) => change({ topic: event.currentTarget.value.trim() })} /></label></div>
    <${Asking} answer=${counts} />
    <div class="counts-by" role="group" aria-label=${t("rejects.by_reason")}>${by.map(({ reason, count }) => html`<button key=${reason} class="chip" data-reason=${reason} aria-pressed=${filter.reason === reason} onClick=${() => change({ reason: filter.reason === reason ? "" : reason })}>${word("reject", reason)} <b class="num">${integer(count)}</b></button>`)}</div>
    ${filter.reason && html`<p class="why" data-remedy=${filter.reason}><b>${word("reject", filter.reason)}</b> <code>${filter.reason}</code>: ${word("remedy", filter.reason)}</p>`}
    ${may && unregistered > 0 && html`<div class="act-form replay"><p>${t("rejects.replay_why", { n: integer(unregistered) })}</p>
      ${sure ? html`<p class="sure" role="alert">${t("rejects.replay_sure", { n: integer(unregistered) })}</p><div class="form-end"><button onClick=${() => setSure(false)}>${t("close.back")}</button><button class="primary" data-replay-sure onClick=${again}>${t("rejects.replay")}</button></div>` : html`<div class="form-end"><button data-replay onClick=${() => setSure(true)}>${t("rejects.replay")}</button></div>`}</div>`}
    <${Result} desk=${desk} name="replay" done=${t("rejects.replayed", { n: integer(asked ?? 0) })} />
    ${counts.data?.waiting > 0 && html`<p role="status">${t("rejects.waiting", { n: integer(counts.data.waiting) })}</p>`}
    <${Asking} answer=${answer} none=${answer.data && !items.length ? t("rejects.none") : ""} />
    <ul class="entries">${items.map((reject) => html`<li key=${reject.id} class="entry reject" data-reject=${reject.reason}>
      <p><b>${word("reject", reject.reason)}</b> <code>${reject.reason}</code> <span class="num muted">${moment(Date.parse(reject.at), now)} · ${word("lane", reject.lane)}</span></p>
      <p class="num">${reject.topic}</p><p>${reject.detail}</p><p class="muted">${t("rejects.remedy", { remedy: word("remedy", reject.reason) })}</p>
      <${Payload} text=${reject.payload_text} base64=${reject.payload_base64} /></li>`)}</ul>
    ${cursor && html`<button onClick=${more}>${t("rejects.older")}</button>`}`;
}

/** The bytes as they came: text where they are text, with what cannot be seen made visible; else in hexadecimal. */
function Payload({ text, base64 }) {
  const bytes = Math.floor((base64.length * 3) / 4) - (base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0);
  const all = text === null ? hexOf(base64) : visible(text);
  return html`<p class="muted num">${t(text === null ? "rejects.hex" : "rejects.text", { n: integer(bytes) })}</p>
    <pre class="payload" tabindex="0">${all.slice(0, SHOWN)}${all.length > SHOWN ? "…" : ""}</pre>`;
}

/** Characters that would not show, or turn the line around, as their code points. */
export const visible = (text) => text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (sign) => `⟨U+${sign.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}⟩`);

function hexOf(base64) {
  return [...atob(base64.slice(0, 4 * SHOWN))].map((sign) => sign.charCodeAt(0).toString(16).padStart(2, "0")).join(" ");
}
