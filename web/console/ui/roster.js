// 排班: who is planned for which shift, a month of days × posts: the week, holidays and make-up days, swaps; shifts that nobody has stand out by word and shape.
import { useEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { integer, listed, moment, t, word } from "../core/i18n.js";
import { Asking, useAnswer } from "./entries.js";
import { Line, useDraft } from "./fields.js";
import { Result } from "./outcome.js";

const DAY_MS = 86_400_000;
const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7];

// days as text, 2026-11-23: by the centre's calendar, whatever this computer's clock thinks of zones
const msOf = (date) => Date.parse(`${date}T00:00:00Z`);
const dateOf = (ms) => new Date(ms).toISOString().slice(0, 10);
export const weekdayOf = (date) => ((new Date(msOf(date)).getUTCDay() + 6) % 7) + 1;
/** Every day of the month `2026-11`. */
export const daysOf = (month) => {
  const first = msOf(`${month}-01`);
  return Array.from({ length: 31 }, (_, i) => dateOf(first + i * DAY_MS)).filter((date) => date.startsWith(month));
};
const monthAfter = (month, step) => dateOf(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)) - 1 + step, 1)).slice(0, 7);

/** Who is planned for a shift, and by which of the three: `shift`, `day`, `week`; what is named for one shift goes before its day, and that before the week. */
export function plannedFor(roster, date, start) {
  const swap = roster.shifts.find(({ shift }) => shift === `${date}T${start}`);
  if (swap) return { accounts: swap.accounts, reason: swap.reason, by: "shift" };
  const other = roster.days.find(({ day }) => day === date);
  const weekday = other ? other.counts_as : weekdayOf(date);
  const rule = roster.weekly.find(({ weekdays, start: at }) => at === start && weekdays.includes(weekday));
  return { accounts: rule?.accounts ?? [], reason: other?.reason ?? "", by: other ? "day" : "week" };
}

/** The week with the people of one weekday's shift replaced; days whose people are the same share an entry. */
export function weekWith(weekly, weekday, start, accounts) {
  const cells = weekly.flatMap((rule) => rule.weekdays.map((day) => ({ day, start: rule.start, accounts: rule.accounts })));
  const kept = cells.filter((cell) => !(cell.day === weekday && cell.start === start));
  const all = accounts.length ? [...kept, { day: weekday, start, accounts }] : kept;
  const entries = new Map();
  for (const cell of all.sort((a, b) => a.start.localeCompare(b.start) || a.day - b.day)) {
    const key = JSON.stringify([cell.start, cell.accounts]);
    const entry = entries.get(key) ?? { weekdays: [], start: cell.start, accounts: cell.accounts };
    entry.weekdays.push(cell.day);
    entries.set(key, entry);
  }
  return [...entries.values()];
}

export function RosterPanel({ desk }) {
  const stored = useAnswer(() => desk.api.get("/roster"), []);
  const people = useAnswer(() => desk.api.accounts("operator", "admin"), []);
  if (!stored.data) return html`<${Asking} answer=${stored} />`;
  return html`<${Roster} key=${stored.data.revision} desk=${desk} stored=${stored.data} people=${people} again=${stored.again} />`;
}

function Roster({ desk, stored, people, again }) {
  const { revision, weekly, days, shifts } = stored;
  const [draft, put] = useDraft(desk, "roster", { weekly, days, shifts, revision });
  const starts = [...new Set(stored.planned.map(({ id }) => id.slice(11)))].sort();
  const today = stored.planned[0]?.id.slice(0, 10) ?? dateOf(desk.clock.now());
  const [month, setMonth] = useState(today.slice(0, 7));
  const [open, setOpen] = useState("");
  const [past, setPast] = useState(false);
  const may = desk.operator.value?.role === "admin";
  const names = (people.data?.items ?? []).filter(({ disabled }) => !disabled).map(({ username }) => username);
  const changed = JSON.stringify([draft.weekly, draft.days, draft.shifts]) !== JSON.stringify([weekly, days, shifts]);
  const result = desk.requests.result("roster");
  const problems = result?.phase === "refused" && Array.isArray(result.details) ? result.details.map(({ message }) => message) : [];
  const change = (part) => {
    desk.requests.forget("roster");
    put({ ...draft, ...part });
  };
  const save = async () => {
    const sent = await desk.requests.send("roster", "/roster", { weekly: draft.weekly, days: draft.days, shifts: draft.shifts, expected_revision: draft.revision }, "PUT");
    if (sent?.phase !== "done") return;
    put(null);
    setOpen("");
    again();
  };
  const dates = daysOf(month);
  const over = dates.filter((date) => date < today).length;
  const hidden = over < dates.length ? over : 0; // of a month that is over every day is shown
  const gaps = dates.filter((date) => date >= today).flatMap((date) => starts.filter((start) => !plannedFor(draft, date, start).accounts.length));
  const edit = { desk, draft, change, names, starts, open, setOpen, may, today, problems };
  return html`<p class="muted">${t("roster.explained")} ${revision > 0 && html`<span class="num">${t("roster.revision", { n: integer(revision), by: stored.changed_by, time: moment(Date.parse(stored.changed_at), desk.now.value) })}</span>`}</p>
    ${!may && html`<p>${t("roster.admins_only")}</p>`}
    <${Asking} answer=${people} />
    ${changed && html`<div class="act-form unsaved" data-unsaved><p><b>${t("roster.unsaved")}</b></p>
      ${problems.length > 0 && html`<ul class="trouble plain" role="alert">${problems.map((each) => html`<li key=${each}>${each}</li>`)}</ul>`}
      ${result?.phase === "refused" && result.details?.unknown && html`<p class="trouble" role="alert">${t("roster.unknown", { names: listed(result.details.unknown) })}</p>`}
      ${result?.phase === "refused" && result.current ? html`<p class="trouble" role="alert">${t("roster.overtaken", { n: result.current.revision })} <button onClick=${() => {
        desk.requests.forget("roster");
        put(null);
        again();
      }}>${t("roster.reload")}</button></p>` : !problems.length && html`<${Result} desk=${desk} name="roster" done="" />`}
      <div class="form-end"><button onClick=${() => {
        desk.requests.forget("roster");
        put(null);
      }}>${t("roster.discard")}</button><button class="primary" data-save disabled=${result?.phase === "doing"} onClick=${save}>${t("roster.save")}</button></div></div>`}
    ${!changed && result?.phase === "done" && html`<p role="status" class="outcome done">${t("roster.saved")}</p>`}
    <h3>${t("roster.week")}</h3>
    <${Grid} ...${edit} rows=${WEEKDAYS.map((day) => ({ id: `w${day}`, name: word("weekday", day) }))} cell=${(row, start) => weekCell(draft, Number(row.id.slice(1)), start)} />
    <div class="month-head"><h3>${t("roster.month")} <span class="num">${month}</span></h3>
      <div class="ranges"><button aria-label=${t("roster.before")} onClick=${() => setMonth(monthAfter(month, -1))}>◀ ${t("roster.before")}</button><button onClick=${() => setMonth(today.slice(0, 7))}>${t("roster.this")}</button><button onClick=${() => setMonth(monthAfter(month, 1))}>${t("roster.after")} ▶</button></div></div>
    <p role="status" data-gaps=${gaps.length} class=${gaps.length ? "why" : "muted"}>${gaps.length ? html`<${Gap} /> ` : ""}${t(gaps.length ? "roster.gaps" : "roster.no_gaps", { n: integer(gaps.length) })}</p>
    ${hidden > 0 && !past && html`<p><button data-past onClick=${() => setPast(true)}>${t("roster.past", { n: integer(hidden) })}</button></p>`}
    <${Grid} ...${edit} rows=${(past ? dates : dates.slice(hidden)).map((date) => ({ id: date, name: `${date.slice(5)} ${word("weekday_short", weekdayOf(date))}`, day: draft.days.find(({ day }) => day === date), past: date < today, now: date === today }))} cell=${(row, start) => plannedFor(draft, row.id, start)} />`;
}

const weekCell = (draft, weekday, start) => ({ accounts: draft.weekly.find((rule) => rule.start === start && rule.weekdays.includes(weekday))?.accounts ?? [], reason: "", by: "week" });

/** Nobody: a hollow diamond, whatever the colours of the theme. */
const Gap = () => html`<svg class="gap-mark" viewBox="0 0 16 16" aria-hidden="true"><path d="M8 1.5 14.5 8 8 14.5 1.5 8z" /></svg>`;

/** Days × posts. Arrow keys go from cell to cell, Enter opens one, Escape closes it. */
function Grid(edit) {
  const { rows, starts, cell, open, setOpen, may } = edit;
  const onKeyDown = (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.code];
    const at = event.target.closest?.("[data-cell]")?.dataset.cell.split(" ");
    if (event.code === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      const back = open;
      setOpen("");
      setTimeout(() => /** @type {HTMLElement | null} */ (document.querySelector(`[data-cell="${back}"]`))?.focus());
    }
    if (!step || !at || event.target.tagName !== "BUTTON") return;
    event.preventDefault();
    const columns = ["day", ...starts];
    const row = rows[rows.findIndex(({ id }) => id === at[0]) + step[0]];
    const column = columns[columns.indexOf(at[1]) + step[1]];
    if (row && column) /** @type {HTMLElement | null} */ (document.querySelector(`[data-cell="${row.id} ${column}"]`))?.focus();
  };
  return html`<table class="roster" onKeyDown=${onKeyDown}><thead><tr><th scope="col">${t("roster.day")}</th>${starts.map((start) => html`<th key=${start} scope="col" class="num">${t("roster.begins", { time: start })}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.id} data-row=${row.id} class=${[row.past && "past", row.now && "today"].filter(Boolean).join(" ")}>
      <th scope="row" class="num">${row.id.startsWith("w") || !may || row.past ? html`<span data-cell=${`${row.id} day`}>${row.name}</span>` : html`<button data-cell=${`${row.id} day`} aria-expanded=${open === `${row.id} day`} onClick=${() => setOpen(open === `${row.id} day` ? "" : `${row.id} day`)}>${row.name}</button>`}
        ${row.now && html` <b>${t("roster.today")}</b>`}${row.day && html` <span class="tag">${t("roster.counts_as", { day: word("weekday_short", row.day.counts_as) })}${row.day.reason && ` · ${row.day.reason}`}</span>`}</th>
      ${starts.map((start) => html`<${Cell} key=${start} ...${edit} row=${row} start=${start} planned=${cell(row, start)} />`)}</tr>
      ${open.startsWith(`${row.id} `) && html`<tr key=${`${row.id} open`}><td colspan=${starts.length + 1}>${open.endsWith(" day") ? html`<${DayForm} ...${edit} date=${row.id} />` : html`<${ShiftForm} key=${open} ...${edit} row=${row} start=${open.split(" ")[1]} planned=${cell(row, open.split(" ")[1])} />`}</td></tr>`}`)}</tbody></table>`;
}

function Cell({ row, start, planned, open, setOpen, may }) {
  const id = `${row.id} ${start}`;
  const gap = !planned.accounts.length;
  const inside = html`${gap ? html`<${Gap} /> <b>${t("roster.nobody")}</b>` : listed(planned.accounts)}${planned.by === "shift" && html` <span class="tag">${t("roster.swapped")}${planned.reason && ` · ${planned.reason}`}</span>`}`;
  return html`<td class=${gap ? "gap-cell" : ""} data-gap=${gap}><span class="post num" aria-hidden="true">${start}</span>${may && !row.past
    ? html`<button data-cell=${id} aria-expanded=${open === id} aria-label=${`${row.name} ${start}: ${gap ? t("roster.nobody") : listed(planned.accounts)}`} onClick=${() => setOpen(open === id ? "" : id)}>${inside}</button>` : html`<span data-cell=${id}>${inside}</span>`}</td>`;
}

/** Whom a shift has: of every week, or this one only (换班). */
function ShiftForm({ draft, change, names, starts, setOpen, row, start, planned, today }) {
  const weekly = row.id.startsWith("w");
  const [accounts, setAccounts] = useState(planned.accounts);
  const [reason, setReason] = useState(planned.by === "shift" ? planned.reason : "");
  const [other, setOther] = useState("");
  const shift = `${row.id}T${start}`;
  useEffect(() => /** @type {HTMLElement | null} */ (document.querySelector(".shift-form input"))?.focus(), []);
  const without = (shifts, ...ids) => shifts.filter((each) => !ids.includes(each.shift));
  const done = (part) => {
    change(part);
    setOpen("");
  };
  const set = () => done(weekly ? { weekly: weekWith(draft.weekly, Number(row.id.slice(1)), start, accounts) } : { shifts: [...without(draft.shifts, shift), { shift, accounts, reason: reason.trim() }] });
  const swap = () => {
    const theirs = plannedFor(draft, other.slice(0, 10), other.slice(11)).accounts;
    done({ shifts: [...without(draft.shifts, shift, other), { shift, accounts: theirs, reason: reason.trim() }, { shift: other, accounts: planned.accounts, reason: reason.trim() }] });
  };
  const everybody = [...new Set([...names, ...planned.accounts])];
  const near = weekly ? [] : Array.from({ length: 29 }, (_, i) => dateOf(msOf(row.id) + (i - 14) * DAY_MS)).filter((date) => date >= today).flatMap((date) => starts.map((at) => `${date}T${at}`)).filter((id) => id !== shift);
  return html`<form class="act-form shift-form" data-form="shift" onSubmit=${(event) => {
    event.preventDefault();
    set();
  }}><fieldset><legend>${t(weekly ? "roster.every_week" : "roster.only_this", { day: row.name, time: start })}</legend>
      ${everybody.map((name) => html`<label key=${name} class="choice"><input type="checkbox" name="who" value=${name} checked=${accounts.includes(name)} onChange=${() => setAccounts(accounts.includes(name) ? accounts.filter((each) => each !== name) : [...accounts, name])} /> ${name}</label>`)}</fieldset>
    ${!weekly && html`<${Line} name="reason" label=${t("roster.reason")} value=${reason} onInput=${setReason} />`}
    <div class="form-end"><button type="button" onClick=${() => setOpen("")}>${t("close.back")}</button>
      ${planned.by === "shift" && html`<button type="button" data-as-week onClick=${() => done({ shifts: without(draft.shifts, shift) })}>${t("roster.as_week")}</button>`}
      <button class="primary">${t("roster.set")} <kbd>Enter</kbd></button></div>
    ${!weekly && html`<div class="swap"><label>${t("roster.swap_with")} <select name="swap" value=${other} onChange=${(event) => setOther(event.currentTarget.value)}><option value="">–</option>${near.map((id) => html`<option key=${id} value=${id}>${id.replace("T", " ")} ${listed(plannedFor(draft, id.slice(0, 10), id.slice(11)).accounts) || t("roster.nobody")}</option>`)}</select></label>
      <button type="button" data-swap disabled=${!other} onClick=${swap}>${t("roster.swap")}</button></div>`}
  </form>`;
}

/** A holiday or a make-up day 调休: it goes by another weekday's rule. */
function DayForm({ draft, change, setOpen, date }) {
  const known = draft.days.find(({ day }) => day === date);
  const [as, setAs] = useState(String(known?.counts_as ?? (weekdayOf(date) > 5 ? 1 : 7)));
  const [reason, setReason] = useState(known?.reason ?? "");
  const others = draft.days.filter(({ day }) => day !== date);
  const done = (days) => {
    change({ days: days.sort((a, b) => a.day.localeCompare(b.day)) });
    setOpen("");
  };
  return html`<form class="act-form shift-form" data-form="day" onSubmit=${(event) => {
    event.preventDefault();
    done([...others, { day: date, counts_as: Number(as), reason: reason.trim() }]);
  }}><label class="line-field">${t("roster.goes_as")}<select name="counts_as" value=${as} onChange=${(event) => setAs(event.currentTarget.value)}>${WEEKDAYS.map((day) => html`<option key=${day} value=${day}>${word("weekday", day)}</option>`)}</select></label>
    <${Line} name="reason" label=${t("roster.day_reason")} value=${reason} onInput=${setReason} />
    <div class="form-end"><button type="button" onClick=${() => setOpen("")}>${t("close.back")}</button>${known && html`<button type="button" data-as-week onClick=${() => done(others)}>${t("roster.as_week")}</button>`}<button class="primary">${t("roster.set")} <kbd>Enter</kbd></button></div></form>`;
}
