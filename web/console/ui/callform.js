// A call put on record: one press on what came of it; with it, what was said and the number of the recording.
import { html } from "./html.js";
import { clockTime, t, word } from "../core/i18n.js";
import { said } from "./actform.js";
import { Choice, Line, useDraft } from "./fields.js";
import { Result } from "./outcome.js";

export const RESULTS = ["answered", "no_answer", "busy", "wrong_number", "refused", "unreachable"];
const PURPOSES = ["verify", "inform", "call_back"];
const EMPTY = { purpose: "", said: "", recording: "", name: "", number: "", direction: "out" };

/** What a call about an alert is mostly for as it stands. */
const purposeFor = (alert) => (alert.verification || alert.forwarded_at || alert.state === "closed" ? "inform" : "verify");

/**
 * `whom`: the contact's `contact_id`, `{purpose: "119"}`, or nothing where name and number are to be written.
 * `results`: what may have come of it.
 */
export function CallForm({ desk, alert, id, whom, results = RESULTS }) {
  const name = `call ${alert.id} ${id}`;
  const [draft, put] = useDraft(desk, name, EMPTY);
  const busy = desk.requests.result(name)?.phase === "doing";
  const other = !whom;
  const incoming = other && draft.direction === "in";
  const purpose = whom?.purpose ?? (draft.purpose || purposeFor(alert));
  const change = (part) => {
    desk.requests.forget(name);
    put({ ...draft, ...part });
  };
  const record = async (result) => {
    const spoken = result === "answered" ? { said: draft.said } : {}; // what is written of a call that nobody answered stays written
    const someone = other ? { direction: draft.direction, ...said({ name: draft.name, number: draft.number }) } : whom;
    const answer = await desk.requests.send(name, `/alerts/${alert.id}/calls`, { purpose, result, ...someone, ...said({ recording: draft.recording, ...spoken }) });
    if (answer?.phase !== "done") return;
    put(null);
    desk.dossier.ask("calls");
    desk.dossier.ask("contacts");
  };
  const done = desk.requests.result(name)?.data;
  return html`<div class="call-form" data-call-form=${id} role="group" aria-label=${t("calls.form")}>
    ${other && html`
      <${Choice} name=${`direction ${name}`} legend=${t("calls.direction")} values=${["out", "in"]} words=${(value) => word("direction", value)} value=${draft.direction} onChange=${(direction) => change({ direction })} />
      <${Line} name="name" label=${t("calls.name")} needed max=${100} value=${draft.name} onInput=${(text) => change({ name: text })} />
      <${Line} name="number" label=${t("calls.number")} needed=${!incoming} max=${40} type="tel" value=${draft.number} onInput=${(number) => change({ number })} />`}
    ${purpose !== "119" && html`<label class="inline">${t("calls.purpose")}
      <select name="purpose" value=${purpose} onChange=${(event) => change({ purpose: event.currentTarget.value })}>
        ${PURPOSES.map((each) => html`<option key=${each} value=${each} selected=${each === purpose}>${word("purpose", each)}</option>`)}
      </select></label>`}
    ${results.includes("answered") && html`
      <${Line} name="said" label=${t("calls.said")} max=${2000} value=${draft.said} onInput=${(text) => change({ said: text })} />
      <${Line} name="recording" label=${t("calls.recording")} max=${100} value=${draft.recording} onInput=${(recording) => change({ recording })} />`}
    <div class="call-results">${results.filter((each) => !incoming || each === "answered").map((each) => html`<button key=${each} data-result-of=${each} class=${each === "answered" ? "primary" : ""} disabled=${busy || (other && !draft.name.trim())} onClick=${() => record(each)}>${word("outcome", each)}</button>`)}</div>
    <${Result} desk=${desk} name=${name} done=${done ? t("calls.recorded", { result: word("outcome", done.result), name: done.name, time: clockTime(Date.parse(done.at)) }) : ""} />
  </div>`;
}
