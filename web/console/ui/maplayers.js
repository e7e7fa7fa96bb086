// What of the city the map shows: a control that is the legend too. Alarms are not in it to be turned off: nothing hides them.
import { useEffect, useRef } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { integer, t, word } from "../core/i18n.js";
import { drawKind } from "../map/sprites.js";
import { Icon } from "./icons.js";
import { Priority } from "./symbol.js";

const WATER = ["hydrant", "water_crane", "water_point", "water_level"];

export function Layers({ desk, onClose }) {
  const hidden = desk.settings.mapHidden.value;
  const { columns, places, revision } = desk.plant;
  revision.value; // counts follow the statuses
  const counts = columns?.tally() ?? new Map();
  const city = places.value;
  const set = (names, on) => {
    const next = new Set(hidden);
    for (const name of names) (on ? next.delete(name) : next.add(name));
    desk.settings.setMapHidden(next);
  };
  const others = (columns?.kinds ?? []).filter((kind) => !WATER.includes(kind));
  const kinds = (list) => list.filter((kind) => counts.get(`kind:${kind}`) || hidden.has(`kind:${kind}`)).map((kind) => [`kind:${kind}`, word("kind", kind), counts.get(`kind:${kind}`) ?? 0, kind]);
  const outlined = city?.grids.filter(({ boundary }) => boundary).length ?? null;
  const groups = [
    ["city", [["grid", t("map.grid"), outlined, ""], ["unit", t("map.unit"), city?.places?.units.unit.length ?? null, "unit"], ["station", t("near.station"), city?.places?.stations.station.length ?? null, "station"]]],
    ["water", kinds(WATER)],
    ["devices", kinds(others)],
    ["statuses", (columns?.statuses ?? []).map((status) => [`status:${status}`, word("status", status), counts.get(`status:${status}`) ?? 0, ""])],
  ];
  return html`<section class="map-layers" aria-label=${t("map.layers")}>
    <div class="map-side-head"><h3>${t("map.layers")}</h3>
      ${hidden.size > 0 && html`<button onClick=${() => desk.settings.setMapHidden([])} data-show-all>${t("map.show_all")}</button>`}
      <button class="close" onClick=${onClose} aria-label=${t("panel.close")}><${Icon} name="back" /></button></div>
    <p class="map-always"><b>${t("map.alarms_always")}</b> ${[1, 2, 3, 4].map((priority) => html`<span key=${priority}><${Priority} alert=${{ priority }} /></span>`)}</p>
    ${groups.map(([group, rows]) => html`<fieldset key=${group}><legend>${t(`map.group_${group}`)}
        ${rows.length > 1 && html`<button type="button" data-group=${group} onClick=${() => set(rows.map(([name]) => name), rows.some(([name]) => hidden.has(name)))}>${t(rows.some(([name]) => hidden.has(name)) ? "map.all" : "map.none")}<span class="unseen"> ${t(`map.group_${group}`)}</span></button>`}</legend>
      ${rows.map(([name, label, count, shape]) => html`<label key=${name}><input type="checkbox" data-layer=${name} checked=${!hidden.has(name)} onChange=${(event) => set([name], event.currentTarget.checked)} />
        ${shape && html`<${Shape} desk=${desk} kind=${shape} />`}<span>${label}</span><small class="num muted">${count === null ? t("map.not_known") : integer(count)}</small></label>`)}</fieldset>`)}
    <p class="muted">${t("map.hollow")}</p>
    ${outlined === 0 && html`<p class="muted">${t("map.no_grids")}</p>`}
    ${city?.places?.units_placeless > 0 && html`<p class="muted">${t("map.units_placeless", { n: integer(city.places.units_placeless) })}</p>`}
    ${city?.error && html`<p class="trouble" role="alert">${t("board.failed", { message: city.error })}</p>`}
  </section>`;
}

/** The shape of a kind as the map draws it. */
function Shape({ desk, kind }) {
  const self = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const theme = desk.settings.theme.value;
  useEffect(() => {
    const canvas = /** @type {HTMLCanvasElement} */ (self.current);
    const ink = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    ink.setTransform(2, 0, 0, 2, 16, 16);
    ink.clearRect(-8, -8, 16, 16);
    ink.fillStyle = getComputedStyle(canvas).color;
    drawKind(ink, kind);
    ink.fill(kind === "unit" ? "evenodd" : "nonzero");
  }, [kind, theme]);
  return html`<canvas ref=${self} class="map-shape" width="32" height="32" aria-hidden="true"></canvas>`;
}
