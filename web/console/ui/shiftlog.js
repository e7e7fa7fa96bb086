// 值班日志: a shift's entries, newest first, what the system adds in words; writing one, correcting one; the shift report beside it.
import { useEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, integer, listed, moment, t, word } from "../core/i18n.js";
import { Asking, useAnswer } from "./entries.js";
import { Words, useDraft } from "./fields.js";
import { Result } from "./outcome.js";
import { ShiftReport } from "./shiftreport.js";

const SHIFTS = 30;
const EVERY_MS = 10_000;

export function ShiftLogPanel({ desk }) {
  const shifts = useAnswer(() => desk.api.shifts(SHIFTS), [], EVERY_MS * 6);
  const [chosen, choose] = useState("");
  const id = chosen || shifts.data?.items[0]?.id || "";
  if (!id) return html`<${Asking} answer=${shifts} />`;
  return html`<label class="inline">${t("shiftlog.shift")} <select name="shift" onChange=${(event) => choose(event.currentTarget.value)}>
      ${shifts.data.items.map((shift, i) => html`<option key=${shift.id} value=${shift.id} selected=${shift.id === id}>${shift.id.replace("T", " ")}${i === 0 ? ` (${t("shiftlog.now")})` : ""}</option>`)}</select></label>
    <${Log} key=${id} desk=${desk} id=${id} />
    <details><summary>${t("shiftlog.report")}</summary><${ShiftReport} key=${id} desk=${desk} id=${id} /></details>`;
}

function Log({ desk, id }) {
  const newest = useAnswer(() => desk.api.shiftLog(id), [id], EVERY_MS);
  const [older, setOlder] = useState({ items: /** @type {any[]} */ ([]), cursor: /** @type {string | null | undefined} */ (undefined), error: "" });
  const [corrects, setCorrects] = useState(/** @type {any} */ (null));
  const first = newest.data?.items ?? [];
  const known = new Set(first.map((entry) => entry.id));
  const entries = [...first, ...older.items.filter((entry) => !known.has(entry.id))];
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const cursor = older.cursor === undefined ? newest.data?.next_cursor : older.cursor;
  const more = async () => {
    const answer = await desk.api.shiftLog(id, cursor);
    if (answer.ok) setOlder(({ items }) => ({ items: [...(items.length ? items : first), ...answer.data.items], cursor: answer.data.next_cursor, error: "" }));
    else setOlder((before) => ({ ...before, error: t("board.failed", { message: answer.message }) }));
  };
  return html`
    ${desk.watch.mayAct() && html`<${Write} desk=${desk} corrects=${corrects} onDone=${() => {
      setCorrects(null);
      newest.again();
    }} />`}
    <${Asking} answer=${newest} none=${newest.data && !entries.length ? t("shiftlog.none") : ""} />
    <ol class="entries log">${entries.map((entry) => html`<${Entry} key=${entry.id} desk=${desk} entry=${entry} about=${byId.get(entry.refers_to)} onCorrect=${() => setCorrects(entry)} />`)}</ol>
    ${older.error && html`<p class="trouble" role="alert">${older.error}</p>`}
    ${cursor && html`<button data-older onClick=${more}>${t("shiftlog.older")}</button>`}`;
}

/** 记事. Nothing that stands is changed: a correction is an entry that names what it corrects. */
function Write({ desk, corrects, onDone }) {
  const [text, put] = useDraft(desk, "shift log", "");
  const form = useRef(/** @type {HTMLElement | null} */ (null));
  const busy = desk.requests.result("shift log")?.phase === "doing";
  useEffect(() => {
    if (corrects) form.current?.querySelector("textarea")?.focus();
  }, [corrects]);
  const submit = async (event) => {
    event.preventDefault();
    const result = await desk.requests.send("shift log", "/shifts/log", { text: text.trim(), ...(corrects ? { refers_to: corrects.id } : {}) });
    if (result?.phase !== "done") return;
    put(null);
    onDone();
  };
  return html`<form ref=${form} class="note" data-form="shift-log" onSubmit=${submit}>
    ${corrects && html`<p class="why" data-corrects=${corrects.id}>${t("shiftlog.corrects", { n: corrects.id, text: corrects.text })} <button type="button" class="link" onClick=${onDone}>${t("close.back")}</button></p>`}
    <${Words} name="entry" label=${t("shiftlog.write")} value=${text} onInput=${(next) => {
      put(next || null);
      if (!busy) desk.requests.forget("shift log");
    }} />
    <div class="form-end"><${Result} desk=${desk} name="shift log" done=${t("shiftlog.written")} /><button class="primary" disabled=${busy || !text.trim()}>${t(corrects ? "shiftlog.correct" : "shiftlog.save")}</button></div>
  </form>`;
}

function Entry({ desk, entry, about, onCorrect }) {
  const now = desk.now.value;
  const mine = desk.watch.mayAct() && entry.kind === "note";
  return html`<li class="entry ${entry.kind === "note" ? "by-hand" : ""}" data-log=${entry.kind} data-entry=${entry.id}>
    <time class="num">${moment(Date.parse(entry.at), now)}</time>
    <div>
      <p><b>${word("logged", entry.kind)}</b> <span class="muted">${word("actor", entry.actor)}</span> <span class="muted num">#${entry.id}</span></p>
      ${entry.refers_to && html`<p class="muted">${t("shiftlog.refers", { n: entry.refers_to, text: about?.text ?? "" })}</p>`}
      ${told(entry) && html`<p>${told(entry)}</p>`}
      ${entry.text && html`<p class="said">${entry.text}</p>`}
      ${(entry.alert_id || mine) && html`<p class="inline">
        ${entry.alert_id && html`<button class="link" onClick=${() => desk.lookAt(entry.alert_id)}>${t("board.alert")} #${entry.alert_id}</button>`}
        ${mine && html`<button class="link" data-correct=${entry.id} onClick=${onCorrect}>${t("shiftlog.correct")}</button>`}</p>`}
    </div>
  </li>`;
}

const lasting = (seconds) => age(seconds * 1_000);

/** What the system wrote, in words: by kind, of its evidence. */
const TOLD = {
  sign_off: ({ forced, of, reason }) => (forced ? t("logtold.forced", { name: of, reason }) : of ? t("logtold.removed", { name: of }) : ""),
  handover_begun: ({ outgoing, incoming }) => `${outgoing} → ${incoming ?? t("relief.whoever")}`,
  handover: ({ outgoing, incoming, accepted }) => t("logtold.handover", { outgoing, incoming, n: integer(accepted) }),
  attended: ({ seconds }) => t("logtold.lasted", { time: lasting(seconds) }),
  covered: ({ seconds }) => t("logtold.lasted", { time: lasting(seconds) }),
  uncovered: ({ count, units }) => t("logtold.units", { n: integer(count ?? 0), units: listed(units ?? []) }),
  presence_missed: ({ account }) => account,
  presence_answered: ({ seconds, late }) => t(late ? "logtold.answered_late" : "logtold.answered", { time: lasting(seconds) }),
  mute: ({ seconds }) => lasting(seconds),
  window: ({ kind, unit, act, window }) => `${word("window", kind)} #${window} ${unit ?? ""} ${word("window_act", act)}`,
  self_test: ({ kind, unit, result }) => `${word("self_test", kind)} ${unit ?? ""} ${word("self_test_result", result)}`,
  call: ({ name, direction, result }) => `${word("direction", direction)} ${name} ${word("outcome", result)}`,
  scope: ({ account, units, grids, districts }) => `${account}: ${listed([...units, ...grids, ...districts]) || t("accounts.everything")}`,
  account: ({ account, act, role }) => `${account} ${word("account_act", act)} ${role ? word("account_role", role) : ""}`,
};

const told = (entry) => TOLD[entry.kind]?.(entry.evidence) ?? "";
