// 交接班: beginning a handover, and the open one on both seats: what passes over, its notes, completing it or giving it up.
import { useEffect, useLayoutEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, integer, moment, t, word } from "../core/i18n.js";
import { whereIs } from "./board.js";
import { useAnswer } from "./entries.js";
import { Line, Words, useDraft } from "./fields.js";
import { Result } from "./outcome.js";
import { Passing } from "./passing.js";

export function Relief({ desk, duty }) {
  const { relief, watch } = desk;
  const draft = relief.draft.value;
  const open = Boolean(watch.told.value?.handover);
  return html`<section id="relief" class="relief" aria-label=${t("relief.title")}>
    <h3>${t("relief.title")}</h3>
    ${relief.error.value && html`<p class="trouble" role="alert">${t("board.failed", { message: relief.error.value })}</p>`}
    ${open ? draft ? html`<${Open} key=${draft.id} desk=${desk} draft=${draft} />` : html`<p class="muted">${t("board.loading")}</p>`
      : html`<${Ended} desk=${desk} />${watch.mayAct() && html`<${Begin} desk=${desk} duty=${duty} />`}`}
  </section>`;
}

/** How the last one ended, until it was read. */
export function Ended({ desk }) {
  const ended = desk.relief.ended.value;
  if (!ended) return html`<${Result} desk=${desk} name="relief end" done="" />`;
  const values = { outgoing: ended.outgoing, incoming: ended.incoming ?? "–", by: ended.ended_by, time: moment(Date.parse(ended.ended_at), desk.now.value) };
  return html`<p class="why" role="status" data-relief-ended=${ended.state}>${t(`relief.${ended.state}`, values)}
    <button onClick=${() => {
      desk.relief.ended.value = null;
      desk.requests.forget("relief end");
    }}>${t("banner.read")}</button></p>`;
}

const EMPTY = { to: "", notes: "" };

/** Begun by whoever leaves, who may say to whom; or by whoever comes, who says from whom. */
function Begin({ desk, duty }) {
  const [draft, put] = useDraft(desk, "relief", EMPTY);
  const accounts = useAnswer(() => desk.api.accounts("operator", "admin"), []);
  const mine = desk.watch.mine();
  const me = desk.operator.value.username;
  const busy = desk.requests.result("relief")?.phase === "doing";
  const begin = async (said) => {
    const result = await desk.relief.begin({ ...said, ...(draft.notes.trim() ? { notes: draft.notes.trim() } : {}) });
    if (result?.phase !== "done") return;
    put(null);
    desk.requests.forget("relief");
  };
  if (!duty.length) return html`<p class="muted">${t("relief.nobody")}</p>`;
  const submit = (event) => {
    event.preventDefault();
    begin(draft.to.trim() ? { to: draft.to.trim() } : {});
  };
  const words = html`<${Words} name="notes" label=${t("relief.notes")} value=${draft.notes} onInput=${(notes) => put({ ...draft, notes })} />`;
  return html`${mine
    ? html`<form class="act-form" data-form="relief" onSubmit=${submit}>
        <p>${t("relief.explained")}</p>
        <${Line} name="to" label=${t("relief.to")} list="known-operators" max=${64} value=${draft.to} onInput=${(to) => put({ ...draft, to })} />
        <datalist id="known-operators">${(accounts.data?.items ?? []).filter(({ username, disabled }) => username !== me && !disabled).map(({ username }) => html`<option key=${username} value=${username} />`)}</datalist>
        ${words}
        <div class="form-end"><button class="primary" disabled=${busy}>${t("relief.begin")} <kbd>Enter</kbd></button></div>
      </form>`
    : html`<p>${t("relief.explained_come")}</p>${words}
        <div class="act-buttons">${duty.map(({ account }) => html`<button key=${account} class="primary" data-relieve=${account} disabled=${busy} onClick=${() => begin({ from: account })}>${t("relief.relieve", { name: account })}</button>`)}</div>`}
    <${Result} desk=${desk} name="relief" done="" />`;
}

function Open({ desk, draft }) {
  const { relief, requests } = desk;
  const now = desk.now.value;
  const me = desk.operator.value.username;
  const leaves = draft.outgoing === me;
  const comes = desk.watch.mayAct() && !leaves && (!draft.incoming || draft.incoming === me);
  const missing = draft.open - draft.accepted;
  const [sure, setSure] = useState(false);
  const busy = requests.result("relief end")?.phase === "doing";
  const begun = Date.parse(draft.begun_at);
  useLayoutEffect(() => document.getElementById("relief")?.scrollIntoView({ block: "start" }), []);
  return html`
    <p class="relief-who"><b>${draft.outgoing}</b> → <b>${draft.incoming ?? t("relief.whoever")}</b> <span class="small num">${t("relief.begun", { by: draft.begun_by, time: moment(begun, now), age: age(now - begun) })}</span></p>
    <p class="muted">${t(leaves ? "relief.you_leave" : comes ? "relief.you_come" : "relief.between_others")}</p>
    <${Notes} desk=${desk} draft=${draft} mine=${leaves || draft.incoming === me || draft.begun_by === me} open=${leaves} />
    <p class="num relief-count" role="status" data-accepted=${draft.accepted} data-open-alarms=${draft.open}>${t("relief.count", { accepted: integer(draft.accepted), open: integer(draft.open) })}${missing > 0 ? html` · <b>${t("relief.missing", { n: integer(missing) })}</b>` : ""}</p>
    <${Passing} desk=${desk} draft=${draft} comes=${comes} />
    <${Beside} desk=${desk} draft=${draft} now=${now} />
    <${Result} desk=${desk} name="relief end" done="" />
    ${sure && html`<p class="sure" role="alert">${t("relief.cancel_sure")}</p>`}
    <div class="form-end">
      ${sure
        ? html`<button onClick=${() => setSure(false)}>${t("close.back")}</button><button class="danger" data-relief="cancel" disabled=${busy} onClick=${() => relief.cancel()}>${t("relief.cancel")}</button>`
        : (leaves || comes || desk.operator.value.role === "admin") && html`<button onClick=${() => setSure(true)}>${t("relief.cancel")}</button>`}
      ${comes && html`<button class="primary" data-relief="complete" disabled=${busy || missing > 0} onClick=${() => relief.complete()}>${missing > 0 ? t("relief.complete_missing", { n: integer(missing) }) : t("relief.complete", { name: draft.outgoing })}</button>`}
    </div>`;
}

/** What goes with it in words: of whoever has a part in it to write. */
function Notes({ desk, draft, mine, open }) {
  const [writing, setWriting] = useState(open);
  const [text, put] = useDraft(desk, `relief notes ${draft.id}`, null);
  useEffect(() => {
    if (text !== null && text === draft.notes) put(null); // saved by now
  }, [draft.notes]);
  if (!mine || (!writing && text === null)) {
    return html`<div class="relief-notes"><span class="small">${t("relief.notes")}</span> <span class="said">${draft.notes || "–"}</span>${mine && html` <button class="link" data-write-notes onClick=${() => setWriting(true)}>${t("relief.notes_write")}</button>`}</div>`;
  }
  const save = (event) => {
    event.preventDefault();
    desk.relief.note((text ?? "").trim()).then((result) => result?.phase === "done" && put(null));
  };
  return html`<form onSubmit=${save}><${Words} name="relief-notes" label=${t("relief.notes")} value=${text ?? draft.notes} onInput=${put} />
    ${text !== null && text !== draft.notes && html`<div class="form-end"><button>${t("relief.notes_save")}</button></div>`}
    <${Result} desk=${desk} name="relief notes" done=${t("relief.notes_saved")} /></form>`;
}

/** What stands open beside alarms: announced windows and impairments, and self-tests that are overdue or failed. */
function Beside({ desk, draft, now }) {
  const lacking = useAnswer(() => desk.api.selfTests(["overdue", "failed"]), [draft.id], 30_000);
  return html`
    <h3>${t("relief.windows")} <span class="num">${draft.windows.length}</span></h3>
    <ul class="entries">${draft.windows.map((window) => html`<li key=${window.id} class="entry" data-passing-window=${window.id}><b class="tag">${word("window", window.kind)}</b>
      <div><p><b>${whereIs(window)}</b> <span class="tag">${word("window_state", window.state)}</span> ${window.reason}</p>${window.measure && html`<p>${t("board.measure", { measure: window.measure })}</p>`}
      <p class="num muted">${t("windows.span", { from: moment(Date.parse(window.starts_at), now), to: moment(Date.parse(window.ends_at), now) })}</p></div></li>`)}</ul>
    <h3>${t("relief.self_tests")} <span class="num">${lacking.data ? `${lacking.data.items.length}${lacking.data.next_cursor ? "+" : ""}` : "–"}</span></h3>
    <ul class="entries">${lacking.data?.items.map((test) => html`<li key=${`${test.kind} ${test.unit}`} class="entry" data-passing-test=${test.kind}><b class="tag">${word("self_test_state", test.state)}</b><div>${word("self_test", test.kind)} ${test.unit_name ?? test.unit ?? ""}</div></li>`)}</ul>`;
}
