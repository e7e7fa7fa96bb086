// The nearest water and micro fire stations 微型消防站 of an alert, with distance and direction, and what speaks against the water.
import { html } from "./html.js";
import { integer, t, titleIn, word } from "../core/i18n.js";
import { Icon } from "./icons.js";

/** 120 m, 东北 */
const whereText = ({ distance_m: far, bearing }) => `${t("near.metres", { n: integer(far) })} · ${word("bearing", bearing)}`;

export function Near({ desk, alert }) {
  const { data, error } = desk.dossier.of("near", alert.id);
  if (error && !data) return html`<section class="near"><h3>${t("near.title")}</h3><p class="trouble" role="alert">${t("board.failed", { message: error })}</p></section>`;
  if (!data) return null;
  return html`<section class="near" aria-label=${t("near.title")} data-near>
    <h3>${t("near.title")}</h3>
    ${data.of === null && html`<p class="why">${t("near.nowhere")}</p>`}
    ${data.of === "unit" && html`<p class="muted">${t("near.of_unit")}</p>`}
    ${data.of !== null && !data.water.length && html`<p class="why">${t("near.no_water")}</p>`}
    <ul class="places-near">
      ${data.water.map((each) => html`<li key=${`${each.unit}/${each.device}`} class=${each.faulty ? "faulty" : ""} data-water=${`${each.unit}/${each.device}`} data-faulty=${each.faulty}>
        <span class="num">${whereText(each)}</span>
        <span><b>${word("kind", each.kind)}</b> <button class="link" onClick=${() => desk.openDevice(each.unit, each.device)}>${each.place || each.device}</button>
          ${each.faulty && html` <span class="doubt"><${Icon} name="overdue" /><b>${t("near.faulty")}</b> ${[...each.trouble.map(titleIn), each.status !== "online" && word("status", each.status)].filter(Boolean).join(t("list.and"))}</span>`}</span>
      </li>`)}
      ${data.stations.map((each) => html`<li key=${each.station} data-station=${each.station}><span class="num">${whereText(each)}</span><span><b>${t("near.station")}</b> ${each.name || each.station}</span></li>`)}
    </ul>
  </section>`;
}

/** The same as marks of the map, each with its label. */
export function marksOf(near) {
  if (!near) return [];
  const at = (each, kind, name, faulty, thing) => ({ lon: each.lon, lat: each.lat, kind, faulty, west: each.lon < near.lon, label: `${name} ${t("near.metres", { n: integer(each.distance_m) })}`, thing });
  return [
    ...near.water.map((each) => at(each, each.kind, word("kind", each.kind), each.faulty, { kind: "device", unit: each.unit, device: each.device })),
    ...near.stations.map((each) => at(each, "station", t("near.station"), false, { kind: "station", code: each.station, name: each.name })),
  ];
}
