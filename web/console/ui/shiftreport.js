// The report of a shift: what was raised, how fast it was taken on and by whom, and what was left.
import { html } from "./html.js";
import { integer, percent, quantity, t, word } from "../core/i18n.js";
import { cut } from "../core/rates.js";
import { Asking, useAnswer } from "./entries.js";

const seconds = (value) => (value === null || value === undefined ? "–" : t("age.precise", { s: quantity(value) }));

/** A share with what it is of; of nothing it is not known. */
const shareOf = (share) => (!share || share.rate === null ? "–" : t("overview.share_of", { rate: percent(cut(share.rate)), n: integer(share.count), all: integer(share.of) }));

/** `id` of the shift; "": none known yet. `everyMs`: read again so often. */
export function ShiftReport({ desk, id, everyMs = 0, people = true }) {
  const report = useAnswer(() => (id ? desk.api.shift(id) : Promise.resolve({ ok: true, data: null })), [id], everyMs);
  const { data } = report;
  return html`<${Asking} answer=${report} />
    ${data && html`<dl class="facts" data-report=${id}>
      <div><dt>${t("overview.raised")}</dt><dd class="num">${data.raised.map((each) => `${word("class", each.class)} ${each.priority}: ${integer(each.count)}`).join(" · ") || "0"}</dd></div>
      <div><dt>${t("overview.acknowledge_fire")}</dt><dd class="num">${t("overview.delay", { median: seconds(data.everyone.acknowledge_fire.median_s), p95: seconds(data.everyone.acknowledge_fire.p95_s) })}</dd></div>
      <div><dt>${t("overview.each_report")}</dt><dd class="num">${t("overview.each_of", { average: quantity(data.rate.average_10min), peak: quantity(data.rate.peak_10min) })}</dd></div>
      <div><dt>${t("overview.in_flood")}</dt><dd class="num">${percent(data.rate.in_flood_percent / 100)}</dd></div>
      <div><dt>${t("overview.false_alarms")}</dt><dd class="num">${shareOf(data.false_alarms)}</dd></div>
      <div><dt>${t("overview.handled")}</dt><dd class="num">${shareOf(data.handled)}</dd></div>
      <div><dt>${t("overview.open")}</dt><dd class="num">${t("overview.open_of", { open: integer(data.open_at_end), stale: integer(data.stale), chattering: integer(data.chattering), escalations: integer(data.escalations) })}</dd></div>
      ${people && data.operators.map((each) => html`<div key=${each.operator}><dt>${each.operator}</dt><dd class="num">${t("shiftlog.did", { acknowledged: integer(each.acknowledged), verified: integer(each.verified), closed: integer(each.closed), noted: integer(each.noted) })}</dd></div>`)}
    </dl>`}`;
}
