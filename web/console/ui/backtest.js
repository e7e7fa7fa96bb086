// 回测: a changed limit, delay or deadband of a rule tried on stored history, beside the rulebook in force; how the two differ, and a device's readings with both limits drawn in.
import { useEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { integer, moment, percent, quantity, t, titleIn, word } from "../core/i18n.js";
import { Chart } from "./chart.js";
import { Asking, useAnswer } from "./entries.js";
import { useDraft } from "./fields.js";
import { Result } from "./outcome.js";
import { Units } from "./units.js";

const FORMS = ["limit", "rate", "window", "pattern", "trend", "imbalance", "silence"];
const FIELDS = ["limit", "clear", "deadband", "on_delay", "off_delay", "after"];
const HOUR_MS = 3_600_000;
const SPANS = [["hour", 1], ["hours_6", 6], ["day", 24], ["days_3", 72], ["week", 168], ["month", 720]];
const RUNNING_MS = 1_500;
const IDLE_MS = 20_000;
const SHOWN = 50;
const EMPTY = { rule: "", how: "fields", bands: {}, text: "", span: "day" };

export function BacktestPanel({ desk }) {
  const [chosen, setChosen] = useState("");
  const [busy, setBusy] = useState(false);
  const tests = useAnswer(() => desk.api.get("/rules/backtests"), [], busy ? RUNNING_MS : IDLE_MS);
  const items = tests.data?.items ?? [];
  useEffect(() => setBusy(items.some(({ state }) => state === "running")), [tests.data]);
  useEffect(() => tests.again(), [busy]);
  const open = chosen || items[0]?.id;
  const now = desk.now.value;
  return html`<p class="muted">${t("backtest.explained")}</p>
    ${desk.operator.value?.role === "admin" ? html`<${Asked} desk=${desk} onBegun=${(id) => {
      setChosen(id);
      tests.again();
      setBusy(true);
    }} />` : html`<p>${t("backtest.admins_only")}</p>`}
    <${Asking} answer=${tests} none=${tests.data && !items.length ? t("backtest.none") : ""} />
    ${open && html`<${One} key=${open} desk=${desk} id=${open} state=${items.find(({ id }) => id === open)?.state} onChanged=${tests.again} />`}
    ${items.length > 1 && html`<h3>${t("backtest.earlier")}</h3><ul class="entries">${items.map((each) => html`<li key=${each.id}><button class="entry" aria-pressed=${each.id === open} data-test=${each.id} onClick=${() => setChosen(each.id)}>
      <b class="tag">${word("backtest_state", each.state)}</b><span>${moment(Date.parse(each.asked_at), now)} ${each.asked_by}</span><span class="num muted">${moment(Date.parse(each.from), now)} – ${moment(Date.parse(each.to), now)}</span></button></li>`)}</ul>`}`;
}

const bandedOf = (written) => {
  const form = FORMS.find((name) => written?.condition?.[name]);
  return form ? written.condition[form].bands : [];
};

/** A limit as it stands in a field: the words of the rulebook, a range or an own number of the device as YAML. */
const shownOf = (value) => (value === undefined ? "" : typeof value === "object" ? JSON.stringify(value) : String(value));

/** What a field says: words, or what JSON stands there. */
function saidIn(text) {
  if (!text.trim().startsWith("{")) return text.trim();
  try {
    return JSON.parse(text);
  } catch {
    return text.trim();
  }
}

function Asked({ desk, onBegun }) {
  const [kept, put] = useDraft(desk, "backtest", EMPTY);
  const draft = { ...EMPTY, ...kept };
  const rules = useAnswer(() => desk.api.rules(), []);
  const file = useAnswer(() => (draft.rule ? desk.api.get(`/rules/${encodeURIComponent(draft.rule)}`) : Promise.resolve({ ok: true, data: null })), [draft.rule]);
  const result = desk.requests.result("backtest");
  const problems = result?.phase === "refused" && Array.isArray(result.details) ? result.details.map(problemOf) : [];
  const known = file.data?.id === draft.rule ? file.data : null;
  const bands = known ? bandedOf(known.written) : [];
  const change = (part) => put({ ...draft, ...part });
  const changed = bands.map((band) => {
    const said = draft.bands[band.priority] ?? {};
    const other = Object.entries(said).filter(([name, text]) => text.trim() !== shownOf(band[name]));
    return { priority: band.priority, ...Object.fromEntries(other.map(([name, text]) => [name, text.trim() === "" ? null : saidIn(text)])) };
  }).filter((band) => Object.keys(band).length > 1);
  const byText = draft.how === "text" || (known && !bands.length);
  const ready = byText ? draft.text.trim() || known?.text : changed.length;
  const submit = async (event) => {
    event.preventDefault();
    if (!ready) return;
    const to = desk.clock.now() - 1_000; // the server's now, or just before it
    const hours = Number(SPANS.find(([name]) => name === draft.span)?.[1]);
    const what = byText ? { rules: draft.text.trim() ? draft.text : known.text } : { change: { rule: draft.rule, bands: changed } };
    const sent = await desk.requests.send("backtest", "/rules/backtests", { from: new Date(to - hours * HOUR_MS).toISOString(), to: new Date(to).toISOString(), ...what });
    if (sent?.phase === "done") onBegun(sent.data.id);
  };
  return html`<form class="act-form" data-form="backtest" onSubmit=${submit}>
    <label class="line-field">${t("backtest.rule")}<select name="rule" value=${draft.rule} onChange=${(event) => put({ ...EMPTY, span: draft.span, how: draft.how, rule: event.currentTarget.value })}>
      <option value="">–</option>${(rules.data?.items ?? []).map((rule) => html`<option key=${rule.id} value=${rule.id}>${titleIn(rule.title)} (${rule.id})</option>`)}</select></label>
    <fieldset class="ways"><legend>${t("backtest.how")}</legend>${["fields", "text"].map((how) => html`<label key=${how} class="choice"><input type="radio" name="how" value=${how} checked=${(byText ? "text" : "fields") === how} disabled=${how === "fields" && known && !bands.length} onChange=${() => change({ how })} /> ${t(`backtest.how_${how}`)}</label>`)}</fieldset>
    ${known && !bands.length && html`<p class="muted">${t("backtest.no_bands")}</p>`}
    ${!byText && bands.map((band, i) => html`<fieldset key=${band.priority} class="band-fields" data-priority=${band.priority}><legend>${word("priority", band.priority)} ${band.title ? titleIn(band.title) : ""}</legend>
      ${FIELDS.filter((name) => name in band || (!("after" in band || "intervals" in band) && name !== "after" && !(name === "deadband" && "clear" in band) && !(name === "clear" && "deadband" in band))).map((name) => html`<${Field} key=${name} name=${name} band=${band} said=${draft.bands[band.priority]?.[name]}
        wrong=${problems.find(({ path }) => path.includes(`bands[${i + 1}].${name}`))} onInput=${(text) => change({ bands: { ...draft.bands, [band.priority]: { ...draft.bands[band.priority], [name]: text } } })} />`)}</fieldset>`)}
    ${byText && html`<label class="line-field">${t("backtest.yaml")}<textarea name="yaml" rows="14" spellcheck=${false} class="code" value=${draft.text || known?.text || ""} onInput=${(event) => change({ text: event.currentTarget.value })}></textarea></label>`}
    <fieldset class="ways"><legend>${t("backtest.span")}</legend>${SPANS.map(([name]) => html`<label key=${name} class="choice"><input type="radio" name="span" value=${name} checked=${draft.span === name} onChange=${() => change({ span: name })} /> ${t(`span.${name}`)}</label>`)}</fieldset>
    ${problems.length > 0 ? html`<div class="trouble" role="alert"><p>${t("backtest.refused")}</p><ul class="plain">${problems.map(({ line, path, text }) => html`<li key=${text}>${line && html`<button type="button" class="link num" onClick=${() => toLine(line)}>${t("backtest.line", { n: line })}</button> `}${path} ${text}</li>`)}</ul></div>` : html`<${Result} desk=${desk} name="backtest" done=${t("backtest.begun")} />`}
    <div class="form-end"><button class="primary" disabled=${!ready || result?.phase === "doing"}>${t("backtest.begin")}</button></div>
  </form>`;
}

function Field({ name, band, said, wrong, onInput }) {
  const before = shownOf(band[name]);
  const id = `band-${band.priority}-${name}`;
  return html`<label class="line-field" for=${id}>${t(`rulefield.${name}`)}
    <input id=${id} name=${name} value=${said ?? before} autocomplete="off" spellcheck=${false} aria-invalid=${Boolean(wrong)} aria-describedby=${wrong ? `${id}-wrong` : undefined} data-changed=${said !== undefined && said.trim() !== before} onInput=${(event) => onInput(event.currentTarget.value)} />
    ${wrong && html`<span class="trouble" id=${`${id}-wrong`}>${wrong.text}</span>`}</label>`;
}

/** `changed.yaml:21: rules[1].condition.limit.bands[1].on_delay: 'soon' is not …` in its parts. */
export function problemOf(said) {
  const text = typeof said === "string" ? said : (said.message ?? String(said));
  const found = /^(?:changed\.yaml:(\d+): )?(\S*?\])?([\w.[\]]*): ([\s\S]*)$/.exec(text);
  return found ? { line: found[1] ? Number(found[1]) : 0, path: `${found[2] ?? ""}${found[3] ?? ""}`, text: found[4] } : { line: 0, path: "", text };
}

/** Puts the caret on a line of the YAML. */
function toLine(n) {
  const field = /** @type {HTMLTextAreaElement | null} */ (document.querySelector("textarea[name=yaml]"));
  if (!field) return;
  const lines = field.value.split("\n");
  const start = lines.slice(0, n - 1).reduce((sum, line) => sum + line.length + 1, 0);
  field.focus();
  field.setSelectionRange(start, start + (lines[n - 1]?.length ?? 0));
}

function One({ desk, id, state, onChanged }) {
  const running = state === "running";
  const test = useAnswer(() => desk.api.get(`/rules/backtests/${encodeURIComponent(id)}`), [id, state], running ? RUNNING_MS : 0);
  const now = desk.now.value;
  const known = test.data;
  if (!known) return html`<${Asking} answer=${test} />`;
  const cancel = async () => {
    const sent = await desk.requests.send(`backtest ${id}`, `/rules/backtests/${encodeURIComponent(id)}`, undefined, "DELETE");
    if (sent?.phase === "done") {
      test.again();
      onChanged();
    }
  };
  return html`<section class="backtest" data-backtest-id=${id} data-state=${known.state} aria-label=${t("panel.backtest")}>
    <h3>${word("backtest_state", known.state)} <span class="num">${moment(Date.parse(known.from), now)} – ${moment(Date.parse(known.to), now)}</span></h3>
    ${known.state === "running" && html`<label>${t("backtest.progress", { share: known.progress === null ? t("backtest.starting") : percent(known.progress) })} <progress value=${known.progress ?? undefined} max="1"></progress></label>
      ${desk.operator.value?.role === "admin" && html`<p><button data-cancel onClick=${cancel}>${t("backtest.cancel")}</button></p>`}`}
    <${Result} desk=${desk} name=${`backtest ${id}`} done="" />
    ${known.error && html`<p class=${known.state === "failed" ? "trouble" : "why"}>${known.error}</p>`}
    ${known.result && html`<${Told} desk=${desk} result=${known.result} from=${Date.parse(known.from)} to=${Date.parse(known.to)} />`}
  </section>`;
}

function Told({ desk, result, from, to }) {
  const { new: ours, in_force: ruling, fires, false_alarms: wrong } = result;
  const changed = result.changed ?? [];
  const named = changed.length > 0 && changed.length <= 3 ? changed : [];
  const count = (side, rule) => side.by_rule[rule] ?? 0;
  const rows = [
    ...named.map((rule) => [t("backtest.raised_by", { rule }), count(ruling, rule), count(ours, rule)]),
    [t("backtest.alerts"), ruling.alerts, ours.alerts],
    [t("backtest.most"), ruling.seen_in_ten_minutes.max, ours.seen_in_ten_minutes.max],
    [t("backtest.fires_missed", { n: integer(fires.confirmed) }), fires.missed_by_rules_in_force, fires.missed],
    [t("backtest.false_avoided", { n: integer(wrong.found) }), wrong.avoided_by_rules_in_force, wrong.avoided],
  ];
  const differs = result.differs ?? { keys: 0, list: [] };
  return html`
    <p class=${fires.missed > 0 ? "trouble verdict" : "verdict"} role="status" data-missed=${fires.missed}>${t(fires.missed > 0 ? "backtest.misses" : fires.confirmed > 0 ? "backtest.misses_none" : "backtest.no_fires", { missed: integer(fires.missed), n: integer(fires.confirmed) })}</p>
    <p class="muted num">${t("backtest.replayed", { readings: integer(result.readings), events: integer(result.events), devices: integer(result.devices) })}</p>
    <table class="compared"><thead><tr><th></th><th scope="col">${t("backtest.in_force")}</th><th scope="col">${t("backtest.changed")}</th><th scope="col" class="difference">${t("backtest.difference")}</th></tr></thead>
      <tbody>${rows.map(([name, before, after]) => html`<tr key=${name}><th scope="row">${name}</th><td class="num">${integer(before)}</td><td class="num">${integer(after)}</td><td class="num difference">${after === before ? "0" : `${after > before ? "+" : "−"}${integer(Math.abs(after - before))}`}</td></tr>`)}</tbody></table>
    ${fires.list.length > 0 && html`<h4>${t("backtest.missed_fires")}</h4><${Stored} desk=${desk} items=${fires.list} />`}
    <${Differences} desk=${desk} differs=${differs} result=${result} from=${Math.max(from, Date.parse(result.stored_from))} to=${to} />`;
}

const Stored = ({ desk, items }) => html`<ul class="entries">${items.map((each) => html`<li key=${each.alert}><button class="entry" onClick=${() => desk.lookAt(each.alert)}><b>#${each.alert}</b><span>${titleIn(each.title)} ${each.subject}</span><span class="num">${moment(Date.parse(each.device_at), desk.now.value)}</span></button></li>`)}</ul>`;

function Differences({ desk, differs, result, from, to }) {
  const [unit, setUnit] = useState("");
  const [shown, setShown] = useState(SHOWN);
  const subjects = [...new Set((result.marks?.list ?? []).map(({ subject, component, rule }) => `${subject} ${component} ${rule}`))];
  const [drawn, setDrawn] = useState("");
  const key = drawn || subjects[0] || "";
  const items = differs.list.filter(({ subject }) => !unit || subject.split("/")[0] === unit);
  return html`
    <h4>${t("backtest.differences")} <span class="num">${integer(differs.keys)}</span></h4>
    ${differs.keys === 0 && html`<p data-same>${t("backtest.same")}</p>`}
    ${differs.list.length > 1 && html`<${Units} desk=${desk} label=${t("backtest.of_unit")} value=${unit} onInput=${(text) => setUnit(text.trim())} />`}
    ${items.length > 0 && html`<table class="compared differences"><thead><tr><th scope="col">${t("backtest.what")}</th><th scope="col">${t("backtest.in_force")}</th><th scope="col">${t("backtest.changed")}</th><th scope="col">${t("backtest.stored")}</th></tr></thead>
      <tbody>${items.slice(0, shown).map((each) => {
        const name = `${each.subject} ${each.component} ${each.rule}`;
        return html`<tr key=${name} data-differs=${each.subject}><th scope="row">${each.subject} <small>${each.component} · ${each.rule}</small> ${subjects.includes(name) && html`<button class="link" onClick=${() => setDrawn(name)}>${t("backtest.draw")}</button>`}</th>
          <td class="num">${integer(each.in_force)}</td><td class="num">${integer(each.new)} <b>${t(each.new > each.in_force ? "backtest.added" : "backtest.fewer", { n: integer(Math.abs(each.new - each.in_force)) })}</b></td>
          <td>${each.stored.map((id) => html`<button key=${id} class="link num" onClick=${() => desk.lookAt(id)}>#${id}</button> `)}</td></tr>`;
      })}</tbody></table>`}
    ${items.length > shown && html`<button onClick=${() => setShown(shown + SHOWN)}>${t("list.more", { n: items.length - shown })}</button>`}
    ${differs.keys > differs.list.length && html`<p class="why">${t("backtest.only_first", { n: integer(differs.list.length) })}</p>`}
    ${subjects.length > 0 && html`<h4>${t("backtest.plot")}</h4>
      <label class="line-field">${t("backtest.device")}<select name="drawn" value=${key} onChange=${(event) => setDrawn(event.currentTarget.value)}>${subjects.map((each) => html`<option key=${each} value=${each}>${each}</option>`)}</select></label>
      <${Plot} key=${key} desk=${desk} result=${result} name=${key} from=${from} to=${to} />`}`;
}

/** One device's readings with both limits, and where either rulebook raises and is over. */
function Plot({ desk, result, name, from, to }) {
  const [subject, component, rule] = name.split(" ");
  const [unit, device] = subject.split("/");
  const [stretch, setStretch] = useState({ from, to });
  const marks = result.marks.list.filter((mark) => mark.subject === subject && mark.component === component && mark.rule === rule);
  const lines = (result.lines ?? []).filter((line) => line.subject === subject && line.rule === rule);
  const limits = lines.flatMap((line) => [line.value, line.high].filter((value) => value !== null).map((value) => ({ value, look: line.side, word: `${t(`backtest.${line.side === "new" ? "changed" : "in_force"}`)} · ${word("priority", line.priority)}` })));
  const same = (limit) => limits.some((other) => other.look !== limit.look && other.value === limit.value);
  const drawn = limits.filter((limit) => limit.look === "new" || !same(limit)).map((limit) => (same(limit) ? { ...limit, look: "both", word: `${t("backtest.both")} · ${limit.word.split(" · ")[1]}` } : limit));
  const now = desk.now.value;
  const metric = component || lines[0]?.metric || "";
  if (!device || !metric) return html`<p class="muted">${t("backtest.no_plot")}</p>`;
  return html`<div class="ranges"><button disabled=${stretch.from === from && stretch.to === to} onClick=${() => setStretch({ from, to })}>${t("backtest.whole")}</button><button class="link" onClick=${() => desk.openDevice(unit, device)}>${t("detail.open_device")}</button></div>
    <${Chart} desk=${desk} unit=${unit} device=${device} metric=${metric} uom=${lines[0]?.uom ?? ""} from=${stretch.from} to=${stretch.to} limits=${drawn}
      marks=${marks.map((mark) => ({ at: Date.parse(mark.at), look: mark.side, over: mark.what === "cleared", word: mark.what }))} onZoom=${(a, b) => b - a > 60_000 && setStretch({ from: a, to: b })} />
    <p class="muted legend">${t("backtest.legend")}</p>
    <table class="compared marks"><caption class="unseen">${t("backtest.instants")}</caption><tbody>${["in_force", "new"].map((side) => html`<tr key=${side} data-side=${side}><th scope="row">${t(`backtest.${side === "new" ? "changed" : "in_force"}`)}</th>
      <td class="num">${marks.filter((mark) => mark.side === side).slice(0, 40).map((mark) => html`<span key=${`${mark.what}${mark.at}`} data-what=${mark.what}>${mark.what === "cleared" ? "△" : "▲"} ${word("backtest_mark", mark.what)} ${moment(Date.parse(mark.at), now)}; </span>`)}${marks.every((mark) => mark.side !== side) && t("backtest.nothing_raised")}</td></tr>`)}</tbody></table>
    ${lines.length > 0 && html`<p class="num muted">${lines.filter(({ clear }) => clear !== null).map((line) => `${t(`backtest.${line.side === "new" ? "changed" : "in_force"}`)} ${word("priority", line.priority)}: ${t("backtest.clear_at", { limit: `${quantity(line.clear)} ${word("uom", line.uom)}` })}`).join(" · ")}</p>`}`;
}
