// 自检: what is failed, overdue and due, what was done; putting one on record, with what Firetower suggests.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { moment, t, word } from "../core/i18n.js";
import { said } from "./actform.js";
import { Asking, useAnswer } from "./entries.js";
import { Choice, Line, Words, useDraft, useFirstField } from "./fields.js";
import { Result } from "./outcome.js";

const EVERY_MS = 30_000;
const DONE = 30;
const nameOf = ({ kind, unit }) => `self-test ${kind} ${unit ?? ""}`;

export function SelfTestsPanel({ desk }) {
  const standing = useAnswer(() => desk.api.selfTests(["failed", "overdue", "due"]), [], EVERY_MS);
  const other = useAnswer(() => desk.api.selfTests(["done"]), [], EVERY_MS);
  const done = useAnswer(() => desk.api.selfTestsDone(DONE), [], EVERY_MS);
  const [more, setMore] = useState({ items: /** @type {any[]} */ ([]), cursor: /** @type {string | null | undefined} */ (undefined), error: "" });
  /** What the form is open for. */
  const [open, setOpen] = useState("");
  const first = standing.data?.items ?? [];
  const known = new Set(first.map(nameOf));
  const items = [...first, ...more.items.filter((each) => !known.has(nameOf(each)))];
  const cursor = more.cursor === undefined ? standing.data?.next_cursor : more.cursor;
  const again = () => {
    setOpen("");
    setMore({ items: [], cursor: undefined, error: "" });
    for (const each of [standing, other, done]) each.again();
  };
  const read = async () => {
    const answer = await desk.api.selfTests(["failed", "overdue", "due"], cursor);
    setMore((before) => (answer.ok ? { items: [...before.items, ...answer.data.items], cursor: answer.data.next_cursor, error: "" } : { ...before, error: t("board.failed", { message: answer.message }) }));
  };
  const list = (state, found) => html`<section key=${state} data-self-tests=${state}>
    <h3>${word("self_test_state", state)} <span class="num">${found.length}</span></h3>
    <ul class="entries">${found.map((test) => html`<${Test} key=${nameOf(test)} desk=${desk} test=${test} open=${open === nameOf(test)} onOpen=${() => setOpen(nameOf(test))} onDone=${again} />`)}</ul></section>`;
  return html`
    <${Asking} answer=${standing} none=${standing.data && !items.length ? t("selftests.none") : ""} />
    ${["failed", "overdue", "due"].map((state) => {
      const found = items.filter((each) => each.state === state);
      return found.length > 0 && list(state, found);
    })}
    ${more.error && html`<p class="trouble" role="alert">${more.error}</p>`}
    ${cursor && html`<button onClick=${read}>${t("selftests.more")}</button>`}
    ${other.data && list("done", other.data.items)}
    ${other.data?.next_cursor && html`<p class="muted">${t("selftests.and_more")}</p>`}
    <h3>${t("selftests.record")}</h3>
    <${Asking} answer=${done} none=${done.data?.items.length === 0 ? t("selftests.nothing_done") : ""} />
    <ol class="entries">${done.data?.items.map((each) => html`<li key=${each.id} class="entry" data-done=${each.kind}><time class="num">${moment(Date.parse(each.at), desk.now.value)}</time>
      <div><p>${word("self_test", each.kind)} ${each.unit ?? ""} <b class=${each.result === "failed" ? "trouble" : ""}>${word("self_test_result", each.result)}</b> <span class="muted">${word("actor", each.by)}</span></p>${(each.note || each.evidence) && html`<p class="said">${[each.note, each.evidence].filter(Boolean).join(" · ")}</p>`}</div></li>`)}</ol>`;
}

function Test({ desk, test, open, onOpen, onDone }) {
  const now = desk.now.value;
  const hint = test.suggestion;
  return html`<li class="entry" data-self-test=${test.kind} data-test-unit=${test.unit ?? ""} data-state=${test.state}>
    <b class="tag">${word("self_test_state", test.state)}</b>
    <div>
      <p><b>${word("self_test", test.kind)}</b> ${test.unit_name ?? ""} ${test.unit ?? ""}</p>
      <p class="muted num">${[t("selftests.due", { time: moment(Date.parse(test.due_at), now) }), test.last ? t("selftests.last", { time: moment(Date.parse(test.last.at), now), result: word("self_test_result", test.last.result), by: word("actor", test.last.by) }) : t("selftests.never")].join(" · ")}</p>
      ${hint && html`<p class="why" data-suggested=${hint.alert_id}>${t("selftests.suggested", { n: hint.alert_id, time: moment(Date.parse(hint.at), now) })} <button class="link" onClick=${() => desk.lookAt(hint.alert_id)}>${t("board.alert")} #${hint.alert_id}</button></p>`}
      ${open ? html`<${Recording} desk=${desk} test=${test} onDone=${onDone} />` : html`<${Result} desk=${desk} name=${nameOf(test)} done=${t("selftests.recorded")} />
        ${desk.watch.mayAct() && html`<p><button data-record onClick=${() => {
          desk.requests.forget(nameOf(test));
          onOpen();
        }}>${t("selftests.put")}</button></p>`}`}
    </div>
  </li>`;
}

function Recording({ desk, test, onDone }) {
  const name = nameOf(test);
  const [draft, put] = useDraft(desk, name, { result: "", note: "", evidence: test.suggestion?.alert_id ?? "" });
  const form = useFirstField();
  const busy = desk.requests.result(name)?.phase === "doing";
  const change = (part) => put({ ...draft, ...part });
  const submit = async (event) => {
    event.preventDefault();
    const { result, note, evidence } = draft;
    const path = [test.kind, test.unit].filter(Boolean).map(encodeURIComponent).join("/");
    const sent = await desk.requests.send(name, `/self-tests/${path}`, { result, ...said({ note, evidence }) });
    if (sent?.phase !== "done") return;
    put(null);
    onDone();
  };
  return html`<form ref=${form} class="act-form" data-form="self-test" onSubmit=${submit}>
    <${Choice} name=${`result ${name}`} legend=${t("selftests.result")} values=${["passed", "failed"]} words=${(each) => word("self_test_result", each)} value=${draft.result} onChange=${(result) => change({ result })} />
    <${Words} name="note" label=${t("selftests.note")} value=${draft.note} onInput=${(note) => change({ note })} />
    <${Line} name="evidence" label=${t("selftests.evidence")} max=${100} value=${draft.evidence} onInput=${(evidence) => change({ evidence })} />
    <${Result} desk=${desk} name=${name} done="" />
    <div class="form-end"><button type="button" onClick=${onDone}>${t("close.back")}</button><button class="primary" disabled=${busy || !draft.result}>${t("selftests.put")} <kbd>Enter</kbd></button></div>
  </form>`;
}
