// Announcing a window: what, where, for how long, why; of a test who of the unit asks, proven by the password 口令.
import { html } from "./html.js";
import { moment, t, word } from "../core/i18n.js";
import { KINDS } from "../core/windows.js";
import { instantOf } from "../core/zone.js";
import { duration, said } from "./actform.js";
import { Choice, Line, Words, useDraft, useFirstField } from "./fields.js";
import { Result } from "./outcome.js";
import { Units } from "./units.js";

/** Minutes to choose from; the server's longest is the last of each. */
const MINUTES = {
  test: [30, 60, 120, 240],
  drill: [60, 120, 240, 480],
  maintenance: [120, 480, 1440, 10_080],
  impairment: [480, 1440, 10_080, 43_200],
  water_permit: [120, 480, 1440],
};
const EMPTY = { kind: "", minutes: "", starts: "", unit: "", zone: "", device: "", component: "", main: "", reason: "", measure: "", person: "", password: "" };
const MINUTE_MS = 60_000;

export function Announce({ desk, onDone }) {
  const [draft, put] = useDraft(desk, "window", EMPTY);
  const form = useFirstField();
  const { kind, minutes } = draft;
  const permit = kind === "water_permit";
  const busy = desk.requests.result("window")?.phase === "doing";
  const change = (part) => put({ ...draft, ...part });
  const starts = draft.starts ? instantOf(draft.starts) : desk.clock.now();
  const submit = async (event) => {
    event.preventDefault();
    const { kind: of, minutes: length, starts: from, ...words } = draft;
    const times = { ends_at: draft.endsAt ?? new Date(starts + Number(length) * MINUTE_MS).toISOString(), ...(from ? { starts_at: new Date(starts).toISOString() } : {}) };
    if (!draft.endsAt) put({ ...draft, endsAt: times.ends_at }); // sent once more it ends when it was to end
    const { endsAt: _, ...written } = /** @type {any} */ (words);
    const result = await desk.requests.send("window", "/windows", { kind: of, ...times, ...said(fitting(of, written)) });
    if (result?.phase === "refused" || result?.phase === "blocked") return put({ ...draft, endsAt: undefined });
    if (result?.phase !== "done") return;
    put(null);
    desk.takeAround({ windows: [result.data] }, false);
    onDone();
  };
  const again = (part) => change({ ...part, endsAt: undefined });
  const field = (name, more = {}) => html`<${Line} name=${name} label=${t(`windows.field_${name}`)} value=${draft[name]} onInput=${(text) => again({ [name]: text })} ...${more} />`;
  return html`<form ref=${form} class="act-form" data-form="window" onSubmit=${submit}>
    <${Choice} name="window-kind" legend=${t("windows.kind")} values=${KINDS} words=${(each) => word("window", each)} value=${kind} onChange=${(each) => again({ kind: each, minutes: "" })} />
    ${kind && html`
      <${Units} desk=${desk} label=${t("windows.field_unit")} needed=${!permit || !draft.main} value=${draft.unit} onInput=${(unit) => again({ unit })} />
      ${permit ? field("main", { max: 64, needed: !draft.unit }) : field("zone")}
      ${field("device", { max: 64 })}
      ${!permit && draft.device && field("component")}
      ${field("starts", { type: "datetime-local" })}
      <${Choice} name="window-minutes" legend=${minutes ? t("windows.until", { time: moment(starts + Number(minutes) * MINUTE_MS, desk.now.value) }) : t("windows.length")} values=${MINUTES[kind]}
        words=${duration} value=${minutes} onChange=${(each) => again({ minutes: each })} />
      <${Words} name="reason" label=${t("field.reason")} needed value=${draft.reason} onInput=${(reason) => again({ reason })} />
      ${kind === "impairment" && html`<${Words} name="measure" label=${t("windows.field_measure")} needed value=${draft.measure} onInput=${(measure) => again({ measure })} />`}
      ${field("person", { max: 64, needed: kind === "test" })}
      ${kind === "test" && html`<p class="muted">${t("windows.password_why")}</p>${field("password", { type: "password", needed: true })}`}
    `}
    <${Result} desk=${desk} name="window" done="" />
    <div class="form-end">
      <button type="button" onClick=${() => {
        put(null);
        onDone();
      }}>${t("close.back")}</button>
      <button class="primary" disabled=${busy || !kind}>${busy ? t("act.sending") : t("windows.announce")}</button>
    </div>
  </form>`;
}

/** Only what the kind takes: a field that was filled in for another kind is not in sight and not sent. */
function fitting(kind, words) {
  const out = { ...words };
  if (kind === "water_permit") for (const name of ["zone", "component"]) delete out[name];
  else delete out.main;
  if (!out.device) delete out.component;
  if (kind !== "impairment") delete out.measure;
  if (kind !== "test") delete out.password;
  return out;
}
