// Notes and closing, inline in the detail: the alarms keep flowing beside them, and drafts outlive a change of selection.
import { useEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { isFire, isUnacknowledged } from "../core/alarms.js";
import { t, word } from "../core/i18n.js";
import { outcomeText } from "./detail.js";

const DISPOSITIONS = ["real_fire", "false_alarm", "test", "drill", "maintenance", "hazard_fixed", "unknown"];
const NEVER_FOR_FIRE = new Set(["maintenance", "hazard_fixed", "unknown"]);
/** What the note must say for some verdicts; the server insists on it. */
const NOTE_LABEL = { real_fire: "close.note_real_fire", test: "close.note_test", drill: "close.note_drill" };

/** What was written for an alert and not yet sent; kept by the console by alert id until sign-out. */
function useDraft(drafts, id, empty) {
  const [draft, setDraft] = useState(drafts.get(id) ?? empty);
  const change = (next) => {
    if (next === empty) drafts.delete(id);
    else drafts.set(id, next);
    setDraft(next);
  };
  return [draft, change];
}

function Outcome({ desk, alert, verb }) {
  const outcome = desk.acts.outcome(alert.id, verb);
  return html`<p role="status" class="outcome ${outcome?.phase ?? ""}" data-outcome=${outcome?.phase ?? ""}>${
    outcome ? (outcome.phase === "doing" ? t("act.sending") : outcomeText(verb, outcome, desk.operator.value?.username)) : ""
  }</p>`;
}

export function NoteForm({ desk, alert }) {
  const [text, setText] = useDraft(desk.drafts.note, alert.id, "");
  const busy = desk.acts.outcome(alert.id, "note")?.phase === "doing";
  const submit = async (event) => {
    event.preventDefault();
    if (busy || !text.trim()) return;
    const outcome = await desk.acts.note(alert, text.trim());
    if (outcome?.phase === "done" || outcome?.phase === "waiting") setText(""); // one that waits stands in its list
  };
  return html`<form class="note" onSubmit=${submit}>
    <label>${t("note.label")}
      <textarea rows="2" maxlength="2000" value=${text} onInput=${(event) => {
        setText(event.currentTarget.value);
        if (desk.acts.outcome(alert.id, "note")) desk.acts.forget(alert.id, "note");
      }}></textarea>
    </label>
    <div class="form-end"><${Outcome} desk=${desk} alert=${alert} verb="note" /><button disabled=${busy || !text.trim()}>${t("note.save")}</button></div>
  </form>`;
}

const EMPTY = { open: false, disposition: "", cause: "", note: "", sure: false };

/** 办结: open the form, choose (nothing is chosen beforehand), then confirm what is named on the button. */
export function CloseForm({ desk, alert }) {
  const [draft, setDraft] = useDraft(desk.drafts.close, alert.id, EMPTY);
  const end = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (draft.open) end.current?.scrollIntoView({ block: "nearest" });
  }, [draft.open, draft.sure]);
  const outcome = desk.acts.outcome(alert.id, "close");
  const busy = outcome?.phase === "doing";
  if (alert.state === "closed" || outcome?.phase === "waiting") return html`<${Outcome} desk=${desk} alert=${alert} verb="close" />`;
  if (!draft.open) {
    return html`<div class="closing"><button onClick=${() => setDraft({ ...EMPTY, open: true })}>${t("close.open")}</button></div>`;
  }
  const change = (part) => {
    if (outcome) desk.acts.forget(alert.id, "close");
    setDraft({ ...draft, sure: false, ...part });
  };
  const submit = async (event) => {
    event.preventDefault();
    if (!draft.disposition || busy) return;
    if (!draft.sure) return setDraft({ ...draft, sure: true });
    const done = await desk.acts.close(alert, draft.disposition, draft.cause.trim(), draft.note.trim());
    if (done?.phase === "done") setDraft(EMPTY);
    else setDraft({ ...draft, sure: false });
  };
  const chosen = draft.disposition && word("disposition", draft.disposition);
  return html`<form class="closing open" onSubmit=${submit}>
    <h3>${t("close.title")}</h3>
    ${isFire(alert) && isUnacknowledged(alert) && html`<p class="small">${t("close.acknowledge_first")}</p>`}
    <fieldset>
      <legend>${t("close.disposition")}</legend>
      ${DISPOSITIONS.filter((name) => !(isFire(alert) && NEVER_FOR_FIRE.has(name))).map((name) => html`<label key=${name} class="choice">
        <input type="radio" name=${`disposition-${alert.id}`} value=${name} checked=${draft.disposition === name} onChange=${() => change({ disposition: name })} />
        ${word("disposition", name)}</label>`)}
    </fieldset>
    <label>${t(draft.disposition === "false_alarm" ? "close.cause_false" : "close.cause")}
      <input value=${draft.cause} maxlength="200" required=${draft.disposition === "false_alarm"} onInput=${(event) => change({ cause: event.currentTarget.value })} /></label>
    <label>${t(NOTE_LABEL[draft.disposition] ?? "close.note")}
      <textarea rows="2" maxlength="2000" value=${draft.note} required=${draft.disposition in NOTE_LABEL} onInput=${(event) => change({ note: event.currentTarget.value })}></textarea></label>
    <${Outcome} desk=${desk} alert=${alert} verb="close" />
    ${draft.sure && html`<p class="sure" role="alert">${t("close.sure", { disposition: chosen, title: `${alert.unit_name ?? alert.unit ?? alert.subject} ${alert.place ?? ""}` })}</p>`}
    <div class="form-end" ref=${end}>
      <button type="button" onClick=${() => (draft.sure ? change({}) : setDraft(EMPTY))}>${t("close.back")}</button>
      <button class=${draft.sure ? "danger" : ""} disabled=${!draft.disposition || busy}>${
        !chosen ? t("close.choose") : t(draft.sure ? "close.confirm" : "close.next", { disposition: chosen })
      }</button>
    </div>
  </form>`;
}
