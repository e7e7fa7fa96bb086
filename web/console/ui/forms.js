// Notes and closing, inline in the detail: the alarms keep flowing beside them, and drafts outlive a change of selection.
import { useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { t, word } from "../core/i18n.js";
import { isFire, isForwardable, isUnacknowledged, missingFor, needsCallBack } from "../core/marks.js";
import { formOf } from "../core/offers.js";
import { said } from "./actform.js";
import { Choice, Line, Words, useDraft } from "./fields.js";
import { Outcome } from "./outcome.js";

const DISPOSITIONS = ["real_fire", "false_alarm", "test", "drill", "maintenance", "hazard_fixed", "unknown"];
const NEVER_FOR_FIRE = new Set(["maintenance", "hazard_fixed", "unknown"]);

export function NoteForm({ desk, alert }) {
  const [text, put] = useDraft(desk, formOf(alert, "note"), "");
  const busy = desk.acts.outcome(alert.id, "note")?.phase === "doing";
  const submit = async (event) => {
    event.preventDefault();
    if (busy || !text.trim()) return;
    const outcome = await desk.acts.note(alert, text.trim());
    if (outcome?.phase === "done" || outcome?.phase === "waiting") put(null); // one that waits stands in its list
  };
  return html`<form class="note" onSubmit=${submit}>
    <${Words} label=${t("note.label")} value=${text} onInput=${(next) => {
      put(next || null);
      if (desk.acts.outcome(alert.id, "note")) desk.acts.forget(alert.id, "note");
    }} />
    <div class="form-end"><${Outcome} desk=${desk} alert=${alert} verb="note" /><button disabled=${busy || !text.trim()}>${t("note.save")}</button></div>
  </form>`;
}

const EMPTY = { disposition: "", cause: "", note: "", person: "", number: "" };

/** 办结: open the form, choose (nothing is chosen beforehand), then confirm what is named on the button. */
export function CloseForm({ desk, alert }) {
  const name = formOf(alert, "close");
  const [draft, put] = useDraft(desk, name, EMPTY);
  const [sure, setSure] = useState(false);
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const end = useRef(/** @type {HTMLElement | null} */ (null));
  const open = desk.form.value === name;
  useLayoutEffect(() => {
    if (open) form.current?.querySelector("input")?.focus({ preventScroll: true });
  }, [open]);
  useEffect(() => {
    if (open) end.current?.scrollIntoView({ block: "nearest" });
  }, [open, sure]);
  const outcome = desk.acts.outcome(alert.id, "close");
  const busy = outcome?.phase === "doing";
  if (alert.state === "closed" || outcome?.phase === "waiting") return html`<${Outcome} desk=${desk} alert=${alert} verb="close" />`;
  if (!open) return html`<div class="closing"><button onClick=${() => desk.openForm("close")}>${t("close.open")} <kbd>C</kbd></button></div>`;
  const { disposition, cause, note, person, number } = draft;
  const change = (part) => {
    if (outcome) desk.acts.forget(alert.id, "close");
    setSure(false);
    put({ ...draft, ...part });
  };
  const callBack = needsCallBack(alert, disposition);
  const missing = missingFor(alert, disposition);
  const submit = async (event) => {
    event.preventDefault();
    if (!disposition || busy) return;
    if (!sure) return setSure(true);
    const called = callBack ? { call_back: { person: person.trim(), number: number.trim() } } : {};
    const done = await desk.acts.act(alert, "close", { disposition, ...said({ cause, note }), ...called });
    setSure(false);
    if (done?.phase !== "done" && done?.phase !== "waiting") return;
    put(null);
    if (desk.form.value === name) desk.form.value = "";
  };
  const chosen = disposition && word("disposition", disposition);
  return html`<form ref=${form} class="closing open" data-form="close" onSubmit=${submit}>
    <h3>${t("close.title")}</h3>
    ${isFire(alert) && isUnacknowledged(alert) && html`<p class="small">${t("close.acknowledge_first")}</p>`}
    <${Choice} name=${`disposition-${alert.id}`} legend=${t("close.disposition")} values=${DISPOSITIONS.filter((each) => !(isFire(alert) ? NEVER_FOR_FIRE.has(each) : each === "real_fire" && !isForwardable(alert)))}
      words=${(each) => word("disposition", each)} value=${disposition} onChange=${(each) => change({ disposition: each })} />
    ${missing.length > 0 && disposition && html`<p class="why" data-missing=${missing.join(" ")}>${t("close.missing", { disposition: chosen, steps: missing.map((step) => word("verb", step)).join(t("list.and")) })}</p>`}
    ${callBack && html`<${Line} name="person" label=${t("close.call_back_person")} needed value=${person} onInput=${(text) => change({ person: text })} />
      <${Line} name="number" label=${t("close.call_back_number")} needed max=${40} value=${number} onInput=${(text) => change({ number: text })} />`}
    <${Line} name="cause" label=${t(disposition === "false_alarm" ? "close.cause_false" : "close.cause")} needed=${disposition === "false_alarm"} value=${cause} onInput=${(text) => change({ cause: text })} />
    <${Words} name="note" label=${t("close.note")} value=${note} onInput=${(text) => change({ note: text })} />
    <${Outcome} desk=${desk} alert=${alert} verb="close" />
    ${sure && html`<p class="sure" role="alert">${t("close.sure", { disposition: chosen, title: `${alert.unit_name ?? alert.unit ?? alert.subject} ${alert.place ?? ""}` })}</p>`}
    <div class="form-end" ref=${end}>
      <button type="button" onClick=${() => {
        if (sure) return setSure(false);
        put(null);
        desk.form.value = "";
      }}>${t("close.back")}</button>
      <button class=${sure ? "danger" : ""} disabled=${!disposition || busy || missing.length > 0}>${
        !chosen ? t("close.choose") : t(sure ? "close.confirm" : "close.next", { disposition: chosen })
      }</button>
    </div>
  </form>`;
}
