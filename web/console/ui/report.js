// 电话报警: what somebody says on the telephone becomes an alert like any other.
import { html } from "./html.js";
import { t, word } from "../core/i18n.js";
import { said } from "./actform.js";
import { Choice, Line, Words, useDraft, useFirstField } from "./fields.js";
import { Result } from "./outcome.js";
import { Units } from "./units.js";

const CLASSES = ["fire", "prealarm", "hazard", "fault"];
const EMPTY = { class: "", text: "", place: "", unit: "", caller: "", phone: "" };

export function ReportForm({ desk }) {
  const [draft, put] = useDraft(desk, "report", EMPTY);
  const form = useFirstField();
  const busy = desk.requests.result("report")?.phase === "doing";
  const change = (part) => put({ ...draft, ...part });
  const submit = async (event) => {
    event.preventDefault();
    const { class: name, ...words } = draft;
    const result = await desk.requests.send("report", "/alerts", { class: name, ...said(words) });
    if (result?.phase !== "done") return;
    put(null);
    desk.requests.forget("report");
    desk.take(desk.alarms.merge([result.data]));
    desk.select(result.data.id);
  };
  return html`<form ref=${form} class="act-form" data-form="report" onSubmit=${submit}>
    <p class="muted">${t("report.explained")}</p>
    <${Choice} name="report-class" legend=${t("report.class")} values=${CLASSES} words=${(name) => word("class", name)} value=${draft.class} onChange=${(name) => change({ class: name })} />
    <${Words} name="text" label=${t("report.text")} needed value=${draft.text} onInput=${(text) => change({ text })} />
    <${Line} name="place" label=${t("report.place")} needed=${!draft.unit} value=${draft.place} onInput=${(place) => change({ place })} />
    <${Units} desk=${desk} label=${t("report.unit")} value=${draft.unit} onInput=${(unit) => change({ unit })} />
    <${Line} name="caller" label=${t("report.caller")} max=${100} value=${draft.caller} onInput=${(caller) => change({ caller })} />
    <${Line} name="phone" label=${t("report.phone")} max=${100} value=${draft.phone} onInput=${(phone) => change({ phone })} />
    <${Result} desk=${desk} name="report" done="" />
    <div class="form-end"><button class="primary" disabled=${busy}>${busy ? t("act.sending") : t("report.submit")} <kbd>Enter</kbd></button></div>
  </form>`;
}
