// 维保与接入: how a unit is connected and how a device reports, what was refused of them and why, announced windows that covered them, self-tests.
import { html } from "./html.js";
import { age, integer, moment, percent, quantity, t, word } from "../core/i18n.js";
import { whereIs } from "./board.js";
import { Asking, useAnswer } from "./entries.js";

const DAY_MS = 86_400_000;
const EVERY_MS = 30_000;
const LATELY = 5;
const MOST = 20;
const LINKS = "gateway,panel";

/** 接入: gateways and panels of a unit with their links, what never reported, what is offline. */
export function Connection({ desk, unit, counts }) {
  const links = useAnswer(() => desk.api.get("/devices", { unit, kind: LINKS, limit: MOST }), [unit], EVERY_MS);
  const silent = useAnswer(() => desk.api.get("/devices", { unit, status: "never_seen,offline", limit: MOST }), [unit], EVERY_MS);
  const now = desk.now.value;
  const heard = (device) => (device.last_seen_at ? t("device.seen", { age: age(now - Date.parse(device.last_seen_at)) }) : t("upkeep.never"));
  const row = (device) => html`<li key=${device.device}><button class="entry" data-to-device=${device.device} onClick=${() => desk.openDevice(unit, device.device)}><b>${word("kind", device.kind)}</b><span>${device.device} ${device.place}<br /><small class="num">${heard(device)}</small></span><span class="link-state" data-status=${device.status}>${word("status", device.status)}</span></button></li>`;
  return html`<h3>${t("upkeep.connection")}</h3>
    <p class="muted">${t("upkeep.links")}</p>
    <${Asking} answer=${links} none=${links.data?.items.length === 0 ? t("upkeep.no_links") : ""} />
    <ul class="entries">${links.data?.items.map(row)}</ul>
    <p class="num" data-never=${counts.never_seen}>${t("upkeep.silent", { never: integer(counts.never_seen), offline: integer(counts.offline) })}</p>
    ${silent.error && html`<${Asking} answer=${silent} />`}
    <ul class="entries">${silent.data?.items.filter(({ kind }) => !LINKS.includes(kind)).map(row)}</ul>
    ${silent.data?.next_cursor && html`<p class="why">${t("unit.more", { n: MOST })}</p>`}`;
}

/** 拒收: what was refused lately of a unit, or of one device, by reason, and what to do about it. */
export function Refused({ desk, unit, device = "" }) {
  const since = new Date(desk.clock.now() - 7 * DAY_MS).toISOString();
  const counts = useAnswer(() => desk.api.get("/rejects/counts", { unit, device, since }), [unit, device], EVERY_MS);
  const newest = useAnswer(() => desk.api.get("/rejects", { unit, device, limit: LATELY }), [unit, device], EVERY_MS);
  const now = desk.now.value;
  const items = counts.data?.items ?? [];
  return html`<h3>${t("upkeep.refused")}</h3>
    <${Asking} answer=${counts} none=${counts.data && !items.length ? t("upkeep.none_refused") : ""} />
    <ul class="entries refused" data-refused=${items.length}>${items.map(({ reason, count, last_at: last }) => html`<li key=${reason} class="entry"><b class="num">${integer(count)}</b><div><p><b>${word("reject", reason)}</b> <code>${reason}</code> <span class="muted num">${t("upkeep.newest", { time: moment(Date.parse(last), now) })}</span></p><p>${word("remedy", reason)}</p></div></li>`)}</ul>
    ${newest.data?.items.length > 0 && html`<details class="fold"><summary>${t("upkeep.lately")}</summary><ul class="entries">${newest.data.items.map((each) => html`<li key=${each.id} class="entry reject"><p><b>${word("reject", each.reason)}</b> <span class="num muted">${moment(Date.parse(each.at), now)} ${each.topic}</span></p><p>${each.detail}</p></li>`)}</ul></details>
      <p><button class="link" data-to-rejects onClick=${() => {
        desk.drafts.put("rejects", { unit, device, reason: "", topic: "" });
        desk.openPanel("rejects");
      }}>${t("upkeep.all_refused")}</button></p>`}`;
}

/** Whether a window covered a device: all of the unit, its zone, itself or its main. */
export function covers(window, device) {
  if (window.device) return window.device === device.device;
  if (window.main) return window.main === device.main;
  return !window.zone || `${device.zone ?? ""}/`.startsWith(`${window.zone}/`);
}

/** Announced windows of a unit, newest first; with `device` those that covered it. */
export function Windows({ desk, unit, device = null }) {
  const windows = useAnswer(() => desk.api.get("/windows", { unit, limit: 100 }), [unit], EVERY_MS);
  const now = desk.now.value;
  const items = (windows.data?.items ?? []).filter((window) => !device || covers(window, device)).slice(0, MOST);
  return html`<h3>${t("upkeep.windows")}</h3>
    <${Asking} answer=${windows} none=${windows.data && !items.length ? t("upkeep.no_windows") : ""} />
    <ul class="entries">${items.map((window) => html`<li key=${window.id} class="entry window" data-window-id=${window.id} data-state=${window.state}><b class="tag">${word("window", window.kind)}</b><div>
      <p><b>${word("window_state", window.state)}</b> <span class="num">${t("windows.span", { from: moment(Date.parse(window.starts_at), now), to: moment(Date.parse(window.ended_at ?? window.ends_at), now) })}</span></p>
      <p>${whereIs(window)} · ${window.reason}</p>${window.measure && html`<p>${t("board.measure", { measure: window.measure })}</p>`}
      <p class="muted">${[t("windows.by", { by: window.requested_by }), window.person, window.approved_by && t("windows.approved_by", { by: window.approved_by }), window.refusal && t("upkeep.refusal", { by: window.refused_by, reason: window.refusal }), window.ended_by && t("upkeep.ended", { by: window.ended_by })].filter(Boolean).join(" · ")}</p></div></li>`)}</ul>`;
}

/** 自检 of a unit: what is due, and what was done. */
export function SelfTests({ desk, unit }) {
  const standing = useAnswer(() => desk.api.get("/self-tests", { unit }), [unit], EVERY_MS);
  const done = useAnswer(() => desk.api.get("/self-tests/log", { unit, limit: LATELY }), [unit], EVERY_MS);
  const now = desk.now.value;
  const items = (standing.data?.items ?? []).filter((test) => test.unit === unit);
  return html`<h3>${t("upkeep.self_tests")}</h3>
    <${Asking} answer=${standing} none=${standing.data && !items.length ? t("upkeep.no_self_tests") : ""} />
    <ul class="entries">${items.map((test) => html`<li key=${test.kind} class="entry" data-self-test=${test.kind} data-state=${test.state}><b class="tag">${word("self_test_state", test.state)}</b><div><p><b>${word("self_test", test.kind)}</b> <span class="num">${t("selftests.due", { time: moment(Date.parse(test.due_at), now) })}</span></p></div></li>`)}
      ${done.data?.items.map((each) => html`<li key=${each.id} class="entry"><time class="num">${moment(Date.parse(each.at), now)}</time><div><p>${word("self_test", each.kind)} <b class=${each.result === "failed" ? "trouble" : ""}>${word("self_test_result", each.result)}</b> <span class="muted">${word("actor", each.by)}</span></p>${(each.note || each.evidence) && html`<p class="said">${[each.note, each.evidence].filter(Boolean).join(" · ")}</p>`}</div></li>`)}</ul>
    ${items.length > 0 && html`<p><button class="link" onClick=${() => desk.openPanel("selftests")}>${t("upkeep.to_self_tests")}</button></p>`}`;
}

/** 数据质量 of a device: its sequence, its clock, what came late or not to be believed, over a week. */
export function Quality({ desk, unit, device, quality }) {
  const week = useAnswer(() => desk.api.get(`/devices/${encodeURIComponent(unit)}/${encodeURIComponent(device)}/reporting`), [unit, device], EVERY_MS);
  const told = week.data;
  const share = (n) => (told.readings ? t("upkeep.share", { share: percent(n / told.readings), n: integer(n) }) : t("rate.unknown"));
  const facts = [
    ["sequence", t("device.gaps", { missed: integer(quality.seq_missed), repeated: integer(quality.seq_repeated) })],
    ["clock", quality.clock_skew_s === null ? t("rate.unknown") : t(quality.clock_skew_s < 0 ? "upkeep.ahead" : "upkeep.behind", { s: quantity(Math.abs(quality.clock_skew_s)) })],
    ...(told ? [["readings", integer(told.readings)], ["late", share(told.late)], ["bad", share(told.bad)], ["uncertain", share(told.uncertain)], ["clock_stuck", share(told.clock_stuck)], ["arrival_time", share(told.arrival_time)]] : []),
  ];
  return html`<h3>${t("upkeep.quality")}</h3><${Asking} answer=${week} />
    <dl class="facts" data-quality>${facts.map(([name, value]) => html`<div key=${name} data-fact=${name}><dt>${t(`upkeep.of_${name}`)}</dt><dd class="num">${value}</dd></div>`)}</dl>`;
}
