// The floor plans 平面图 of a unit: which floors have one, sending one in, and saying where devices and points are on it.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { integer, moment, quantity, t, word } from "../core/i18n.js";
import { MEDIA, MOST_BYTES, keyOf, nameOf, nudged, plansOf, putPlan, putPositions, withdrawPlan } from "../core/plans.js";
import { Asking, useAnswer } from "./entries.js";
import { useDraft } from "./fields.js";
import { floorName, mayDraw } from "./plan.js";
import { PlanView } from "./planview.js";

const LISTED = 60;
const percentOf = (at) => quantity(Math.round(at * 1000) / 10);

export function UnitPlans({ desk, unit }) {
  const plans = useAnswer(() => plansOf(desk.api, unit), [unit]);
  const [open, setOpen] = useState("");
  const items = plans.data?.items ?? [];
  const drawn = items.filter(({ plan }) => plan).length;
  return html`<section class="unit-plans" aria-label=${t("plan.title")}>
    <h3>${t("plan.title")} ${items.length > 0 && html`<small class="num">${t("plan.drawn", { drawn: integer(drawn), floors: integer(items.length) })}</small>`}</h3>
    <${Asking} answer=${plans} none=${plans.data && !items.length ? t("plan.no_floors") : ""} />
    <ul class="storeys">${items.map((floor) => {
      const id = `${floor.building}/${floor.floor}`;
      return html`<${Storey} key=${id} desk=${desk} unit=${unit} floor=${floor} open=${open === id} onOpen=${() => setOpen(open === id ? "" : id)} again=${plans.again} />`;
    })}</ul>
  </section>`;
}

function Storey({ desk, unit, floor, open, onOpen, again }) {
  const [result, setResult] = useState({ phase: "", text: "" });
  const [asked, setAsked] = useState(false);
  const { plan, points } = floor;
  const placed = points.filter(({ at }) => at).length;
  const writes = mayDraw(desk) && desk.feedStatus.value === "live" && result.phase !== "doing";
  const told = (answer, done) => setResult(answer.ok ? { phase: "done", text: done(answer.data) } : { phase: "refused", text: t(answer.status ? "act.refused" : "request.unanswered", { message: answer.message }) });

  async function send(file) {
    if (!file) return;
    const wrong = !MEDIA.includes(file.type) ? t("plan.wrong_type") : file.size > MOST_BYTES ? t("plan.too_large", { mb: integer(Math.ceil(file.size / 1_048_576)) }) : "";
    if (wrong) return setResult({ phase: "refused", text: wrong });
    setResult({ phase: "doing", text: t("plan.sending") });
    const answer = await putPlan(desk.api, unit, floor, file);
    told(answer, (data) => t(`plan.${data.became}`, { w: integer(data.plan.width), h: integer(data.plan.height) }));
    if (answer.ok) again();
  }

  async function withdraw() {
    if (!asked) return setAsked(true);
    setAsked(false);
    const answer = await withdrawPlan(desk.api, unit, floor);
    told(answer, () => t("plan.withdrawn"));
    if (answer.ok) again();
  }

  return html`<li class="storey" data-floor=${`${floor.building}/${floor.floor}`} data-has-plan=${Boolean(plan)}>
    <p class="storey-head"><b>${floorName(floor)}</b>
      <span class=${plan ? "num" : "muted"}>${plan ? t("plan.placed", { placed: integer(placed), all: integer(points.length) }) : t("plan.missing")}</span>
      ${plan && html`<button data-show-plan aria-expanded=${open} onClick=${onOpen}>${t(open ? "plan.hide" : "plan.show")}</button>`}
      ${mayDraw(desk) && html`<label class="choose-file">${t(plan ? "plan.replace" : "plan.send")}
        <input type="file" accept=${MEDIA.join()} disabled=${!writes} onChange=${(event) => {
          const field = event.currentTarget;
          send(field.files[0]).finally(() => (field.value = "")); // the same file may be chosen again
        }} /></label>`}</p>
    <p role="status" class="outcome ${result.phase}" data-result=${result.phase}>${result.text}</p>
    ${open && plan && html`<${Editor} key=${plan.sha256} desk=${desk} unit=${unit} floor=${floor} again=${again} />
      ${mayDraw(desk) && html`<p><button data-withdraw disabled=${!writes} onClick=${withdraw} onBlur=${() => setAsked(false)}>${t(asked ? "plan.really" : "plan.withdraw")}</button></p>`}`}
  </li>`;
}

/** Looked at by everybody, changed by who may: choose what to place, click where it is, save. */
function Editor({ desk, unit, floor, again }) {
  const { plan, points } = floor;
  const [draft, put] = useDraft(desk, `plan ${unit} ${floor.building}/${floor.floor}`, {});
  const [chosen, setChosen] = useState("");
  const [words, setWords] = useState("");
  const [result, setResult] = useState({ phase: "", text: "", errors: /** @type {any[]} */ ([]) });
  const may = mayDraw(desk);
  const placeOf = (point) => (keyOf(point) in draft ? draft[keyOf(point)] : point.at);
  const selected = points.find((point) => keyOf(point) === chosen);
  const without = points.filter((point) => !placeOf(point));
  const doubtful = points.filter((point) => point.at?.doubtful && !(keyOf(point) in draft));
  const changed = points.filter((point) => keyOf(point) in draft);
  const found = points.filter((point) => `${point.device} ${point.component} ${point.place} ${word("kind", point.kind)}`.toLowerCase().includes(words.toLowerCase()));
  const listed = [...found.filter((point) => !placeOf(point)), ...found.filter(placeOf)];
  const set = (place) => put({ ...draft, [chosen]: place && { x: place.x, y: place.y } });
  const next = () => setChosen(without[0] ? keyOf(without.find((point) => keyOf(point) !== chosen) ?? without[0]) : "");

  const onKeys = (event) => {
    if (!may || !selected) return false;
    if (event.code === "Enter") next();
    else if (event.code === "Delete" || event.code === "Backspace") set(null);
    else if (event.code.startsWith("Arrow")) set(nudged(placeOf(selected) ?? { x: 0.5, y: 0.5 }, event.code, event.shiftKey));
    else return false;
    return true;
  };

  async function save(rows) {
    setResult({ phase: "doing", text: t("plan.saving"), errors: [] });
    const answer = await putPositions(desk.api, unit, rows.map((point) => ({ device: point.device, component: point.component, x: placeOf(point)?.x ?? null, y: placeOf(point)?.y ?? null })));
    if (!answer.ok) return setResult({ phase: "refused", text: t(answer.status ? "act.refused" : "request.unanswered", { message: answer.message }), errors: [] });
    const refused = new Set(answer.data.errors.map(({ where }) => keyOf(rows[Number(where.split("/").at(-1))])));
    put(Object.fromEntries(Object.entries(draft).filter(([key]) => refused.has(key))));
    setResult({ phase: refused.size ? "refused" : "done", text: t("plan.saved", { n: integer(answer.data.placed), refused: integer(refused.size) }), errors: answer.data.errors });
    again();
  }

  const marks = points.filter(placeOf).map((point) => ({ key: keyOf(point), ...placeOf(point), chosen: keyOf(point) === chosen, doubtful: point.at?.doubtful && !(keyOf(point) in draft), label: keyOf(point) === chosen ? nameOf(point) : "" }));
  const free = !selected || placeOf(selected); // else a click beside a mark is meant for what is being placed
  return html`<div class="plan-editor">
    <${PlanView} plan=${plan} marks=${marks} label=${t("plan.editor", { floor: floorName(floor) })} onKeys=${onKeys}
      onMark=${free ? (mark) => setChosen(mark.key) : undefined} onPlace=${may && selected ? set : undefined} />
    <p class="muted small">${t("plan.of", { time: moment(Date.parse(plan.put_at), desk.now.value), by: plan.put_by })}${floor.earlier > 0 ? ` · ${t("plan.earlier", { n: integer(floor.earlier) })}` : ""}</p>
    <p class="plan-chosen" data-chosen=${chosen}>${selected ? html`<b>${nameOf(selected)}</b> ${selected.place} ${placeOf(selected) ? html`<span class="num">${t("plan.at", { x: percentOf(placeOf(selected).x), y: percentOf(placeOf(selected).y) })}</span>` : ""}` : may ? t("plan.choose") : ""}</p>
    ${may && html`<div class="plan-edits">
      ${doubtful.length > 0 && html`<p class="why">${t("plan.doubtful_n", { n: integer(doubtful.length) })} <button data-confirm-places disabled=${desk.feedStatus.value !== "live"} onClick=${() => save(doubtful)}>${t("plan.confirm")}</button></p>`}
      <p class="act-buttons">
        <button class="primary" data-save-places disabled=${!changed.length || result.phase === "doing" || desk.feedStatus.value !== "live"} onClick=${() => save(changed)}>${t("plan.save", { n: integer(changed.length) })}</button>
        <button disabled=${!changed.length} onClick=${() => put({})}>${t("plan.undo")}</button>
        <button disabled=${!selected || !placeOf(selected)} onClick=${() => set(null)}>${t("plan.off")}</button>
        <button disabled=${!without.length} onClick=${next}>${t("plan.next", { n: integer(without.length) })}</button></p>
      <p class="muted small">${t("plan.how")}</p>
      <p role="status" class="outcome ${result.phase}" data-saved=${result.phase}>${result.text}</p>
      ${result.errors.map((error) => html`<p key=${error.where} class="trouble">${error.item}: ${error.message}</p>`)}
      <label class="line-field">${t("plan.find")} <input name="find-point" value=${words} autocomplete="off" onInput=${(event) => setWords(event.currentTarget.value)} /></label>
      <ul class="plan-points">${listed.slice(0, LISTED).map((point) => html`<li key=${keyOf(point)}><button aria-pressed=${keyOf(point) === chosen} data-point=${nameOf(point)} onClick=${() => setChosen(keyOf(point))}>
        <b>${nameOf(point)}</b> <span>${word("kind", point.kind)} · ${point.place || point.zone}</span> ${placeOf(point) ? html`<span class="muted">✓</span>` : html`<span>${t("plan.not_on_it")}</span>`}</button></li>`)}</ul>
      ${listed.length > LISTED && html`<p class="muted">${t("plan.more_points", { n: integer(listed.length - LISTED) })}</p>`}
    </div>`}
  </div>`;
}
