// 平面图 of an alert's floor: its own point, what else is open there, and fires on other floors of the building.
import { useEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { integer, moment, t, titleOf } from "../core/i18n.js";
import { demands, isFire } from "../core/marks.js";
import { calledAs, heaped, keyOf } from "../core/plans.js";
import { Icon } from "./icons.js";
import { PlanView } from "./planview.js";
import { Symbol } from "./symbol.js";

const NBSP = "\u00a0";
const AGAIN_MS = 2_000; // in a flood of one floor

export function FloorPlan({ desk, alert }) {
  const { data, error } = desk.dossier.of("plan", alert.id);
  const storey = (alert.zone ?? "").split("/").slice(0, 2).join("/");
  const here = storey && desk.alerts.value.filter((each) => each.unit === alert.unit && each.zone?.startsWith(`${storey}/`)).map((each) => each.id).join();
  useEffect(() => {
    const { dossier } = desk;
    if (data && dossier.id === alert.id && dossier.steady() - dossier.asked.plan > AGAIN_MS) dossier.ask("plan");
  }, [here]);
  if (error && !data) return html`<section class="floor-plan"><h3>${t("plan.title")}</h3><p class="trouble" role="alert">${t("board.failed", { message: error })}</p></section>`;
  // its place is kept from the first frame: no button below moves when it comes
  if (!data) return storey && desk.feedStatus.value === "live" && html`<section class="floor-plan"><h3>${t("plan.title")}</h3><div class="plan-view long"></div><p class="small">${NBSP}</p><p>${NBSP}</p></section>`;
  if (!data.plan) return html`<${NoPlan} desk=${desk} alert=${alert} data=${data} />`;
  return html`<${Shown} desk=${desk} alert=${alert} data=${data} />`;
}

/** 3层, A座 3层 */
export const floorName = (floor) => [floor.building_name || floor.building, floor.floor_name || floor.floor].filter(Boolean).join(" ");

/** Why there is none, in one line; where a place is known and nobody has drawn it, the way to the unit's file. */
function NoPlan({ desk, alert, data }) {
  if (!data.floor && !isFire(alert)) return null; // a hydrant in the street has no floor
  return html`<section class="floor-plan" data-plan="none">
    <p class="muted">${data.floor ? t("plan.none", { floor: floorName(data.floor) }) : t(`plan.why_${data.why}`, { point: calledAs(alert) })}
      ${data.floor && mayDraw(desk) && alert.unit && html` <button class="link" data-add-plan onClick=${() => desk.openUnit(alert.unit)}>${t("plan.add")}</button>`}</p>
    <${Elsewhere} floors=${data.fires_elsewhere} />
  </section>`;
}

export const mayDraw = (desk) => ["admin", "operator"].includes(desk.operator.value?.role);

function Shown({ desk, alert, data }) {
  const [listed, setListed] = useState(false);
  desk.view.value; // drawn anew with what is open
  const live = (id) => desk.alarms.open.get(id);
  const others = data.others.map((each) => ({ ...each, ...live(each.id) })).filter((each) => each.state !== "closed");
  const marks = [
    ...data.devices.filter(({ at }) => at).map((each) => ({ key: keyOf(each), ...each.at })),
    ...heaped([
      ...(data.at ? [{ key: alert.id, ...data.at, priority: alert.priority, waiting: demands(alert), own: true, label: calledAs(alert) }] : []),
      ...others.filter(({ at }) => at).map((each) => ({ key: each.id, ...each.at, priority: each.priority, waiting: demands(each), label: calledAs(each) })),
    ].sort((a, b) => a.priority - b.priority)),
  ];
  const name = floorName(data.floor);
  const point = calledAs(alert);
  return html`<section class="floor-plan" aria-label=${t("plan.title")} data-plan=${data.plan.sha256.slice(0, 12)}>
    <h3>${t("plan.title")} <small>${name}</small></h3>
    <${PlanView} plan=${data.plan} marks=${marks} point=${data.at} label=${data.at ? t("plan.says", { floor: name, point, x: integer(Math.round(data.at.x * 100)), y: integer(Math.round(data.at.y * 100)) }) : t("plan.says_none", { floor: name, point })}
      onMark=${(mark) => live(mark.key) && desk.select(mark.key)}
      over=${html`<${Elsewhere} floors=${data.fires_elsewhere} />
        ${!data.at && html`<p class="why" data-no-point>${t("plan.why_no_position", { point })}</p>`}
        ${data.at?.doubtful && html`<p class="why" data-doubtful><${Icon} name="overdue" />${t("plan.doubtful")}</p>`}`} />
    <p class="muted small">${t("plan.of", { time: moment(Date.parse(data.plan.put_at), desk.now.value), by: data.plan.put_by })}</p>
    <p>${others.length ? html`<button aria-expanded=${listed} data-others onClick=${() => setListed(!listed)}>${t("plan.others", { n: integer(others.length + data.more) })}</button>` : html`<span class="muted">${t("plan.no_others")}</span>`}</p>
    ${listed && html`<ul class="entries">${others.map((each) => html`<li key=${each.id}><button class="entry" data-other=${each.id} onClick=${() => live(each.id) && desk.select(each.id)}>
      <${Symbol} priority=${each.priority} waiting=${demands(each)} /><span><b>${titleOf(each)}</b> ${each.place ?? ""}</span><span>${calledAs(each)}${each.at ? "" : ` · ${t("plan.not_on_it")}`}</span></button></li>`)}</ul>`}
  </section>`;
}

/** It spreads: never only on the floor that is looked at. */
function Elsewhere({ floors }) {
  if (!floors.length) return null;
  return html`<p class="why" data-fires-elsewhere><${Icon} name="warning" /><b>${t("plan.fires_elsewhere", { floors: floors.map((each) => `${each.floor_name || each.floor} ×${integer(each.fires)}`).join(t("list.and")) })}</b></p>`;
}
