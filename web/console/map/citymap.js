// 消防一张图: ground, base map, devices and alarms in one view; asked for when the map is first looked at.
import { Map, View, defaultInteractions, fromLonLat } from "../vendor/ol-console.mjs";
import { demands } from "../core/marks.js";
import { compareAlerts } from "../core/order.js";
import { AlarmLayer } from "./alarmlayer.js";
import { baseLayer, recolour, watchTiles } from "./basemap.js";
import { shiftTo } from "./crs.js";
import { gridLayer, recolourGrids } from "./gridlayer.js";
import { NearLayer } from "./nearlayer.js";
import { PlaceLayer } from "./placelayer.js";
import { PointLayer } from "./pointlayer.js";
import { Spots, byLead } from "./spots.js";

const CLOSE_M = 1.2; // metres a pixel when an alarm is looked at
/** Of what lies under a finger, so many of the nearest are named. */
const MOST_HERE = 8;
/** Alarms in sight that are named. */
const MOST_IN_SIGHT = 100;
/** Taking the alarms in takes a tenth of the time at most, and nothing waits longer than a second; a fire, and what was selected, not at all. */
const REST = 9;
const MOST_REST_MS = 1_000;
const SECTORS = ["e", "ne", "n", "nw", "w", "sw", "s", "se"];

/** Colours of the theme in force, from the page's own custom properties. */
function coloursOf(element) {
  const css = getComputedStyle(element);
  const read = (name) => css.getPropertyValue(name).trim();
  return {
    ground: read("--ground"), text: read("--text"), ink: read("--symbol-ink"), device: read("--muted"), faint: read("--line"),
    street: read("--line"), area: read("--edge"), label: read("--muted"), water: read("--map-water"), green: read("--map-green"),
    built: read("--map-built"), building: read("--map-building"), lang: document.documentElement.lang, pictures: Number(read("--map-pictures")), p1: read("--p1"), p2: read("--p2"), p3: read("--p3"), p4: read("--p4"),
  };
}

export class CityMap {
  /**
   * `columns`: core/devices.js; `base`: answer of GET /api/v1/map. `onHere({things, more})`: what lies where was clicked, see `under`;
   * `onEdges(edges)`: what waits out of sight, `{sector, count, priority, id}`; `onSight({count, ids, placeless})`: how many alarms are in sight, the first of them where they are `named`, and how many have no place;
   * `onTrouble(text)`: the base map is missing, "tiles": most of it does not come, "": it is there again.
   */
  constructor({ target, columns, base, onHere, onEdges, onSight, onTrouble }) {
    this.base = base;
    this.onHere = onHere;
    this.onEdges = onEdges;
    this.onSight = onSight;
    /** What was told of last. */
    this.sight = this.edges = "";
    this.named = false;
    this.rated = false;
    this.shift = shiftTo(base.crs);
    this.target = target;
    this.spots = new Spots((place) => this.project(place));
    this.selected = "";
    /** Of the fires and others of priority 1 that were taken in. */
    this.urgent = "";
    this.taking = 0;
    this.takenAt = -Infinity;
    this.cost = 0;
    this.before = null;
    this.gone = false;
    const colours = coloursOf(target);
    this.points = new PointLayer({ columns, project: (place) => this.project(place), colours });
    this.places = new PlaceLayer({ colours, project: (place) => this.project(place) });
    this.nearLayer = new NearLayer({ colours });
    this.alarmLayer = new AlarmLayer({ colours });
    this.map = new Map({
      target,
      layers: [this.points, this.places, this.nearLayer, this.alarmLayer],
      controls: [], // OpenLayers' own write HTML, which the page's policy forbids
      interactions: defaultInteractions({ altShiftDragRotate: false, pinchRotate: false }),
      view: new View({ center: [0, 0], resolution: 40, constrainRotation: false, enableRotation: false }),
    });
    this.whole();
    this.map.on("click", (event) => this.onHere(this.under(event.pixel)));
    this.map.on("moveend", () => this.tellSight());
    baseLayer(base, colours).then(
      (layer) => {
        if (this.gone) return;
        this.baseLayer = layer;
        if (layer) this.map.getLayers().insertAt(0, layer);
        if (layer && base.kind !== "geojson") this.unwatch = watchTiles(this.map, layer, base, (bad) => onTrouble(bad ? "tiles" : ""));
      },
      (error) => onTrouble(String(error.message ?? error)),
    );
    this.resizing = new ResizeObserver(() => this.resized());
    this.resizing.observe(target);
    this.theme = new MutationObserver(() => this.recolour());
    this.theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "lang"] });
    this.blink = new MutationObserver(() => this.spots.all.some(({ waiting }) => waiting) && this.alarmLayer.changed());
    this.blink.observe(document.documentElement, { attributes: true, attributeFilter: ["data-blink"] });
  }

  dispose() {
    this.gone = true;
    clearTimeout(this.taking);
    for (const observer of [this.resizing, this.theme, this.blink]) observer.disconnect();
    this.unwatch?.();
    this.map.setTarget(undefined);
    this.map.dispose();
  }

  project(place) {
    return fromLonLat(this.shift(place));
  }

  recolour() {
    const colours = coloursOf(this.target);
    this.points.setColours(colours);
    for (const layer of [this.places, this.nearLayer, this.alarmLayer]) layer.colours = colours;
    for (const layer of this.map.getAllLayers()) layer.changed(); // none is what it was
    recolour(this.baseLayer, colours);
    if (this.grids) recolourGrids(this.grids, colours);
  }

  /** Units, stations and grids: `places`, answer of GET /api/v1/map/places; `grids`, items of GET /api/v1/grids. */
  setPlaces(places, grids) {
    this.places.setPlaces(places);
    if (this.grids) this.map.removeLayer(this.grids)?.dispose();
    this.grids = gridLayer(grids, coloursOf(this.target), (place) => this.project(place));
    this.outline();
    this.map.getLayers().insertAt(this.baseLayer ? 1 : 0, this.grids);
  }

  /** What the operator does not want to see of the city: unit, station, grid, kind:…, status:…; alarms are always shown. */
  setHidden(hidden) {
    this.places.setHidden(hidden);
    this.points.setHidden(hidden);
    this.outline();
  }

  /** 四色风险 is shown, which draws and names the grids itself: two names in one place are none. */
  setRated(rated) {
    this.rated = rated;
    this.outline();
  }

  outline() {
    this.grids?.setVisible(!this.rated && !this.places.hidden.has("grid"));
  }

  /** What stands left of the map came or went: the ground stays where it is on the screen, under the pointer too. */
  resized() {
    const beside = this.target.getBoundingClientRect().left - (this.target.closest(".map") ?? this.target).getBoundingClientRect().left;
    const view = this.map.getView();
    const [center, resolution] = [view.getCenter(), view.getResolution()];
    if (center && resolution && !view.getAnimating()) view.setCenter([center[0] + ((beside - (this.beside ?? beside)) / 2) * resolution, center[1]]);
    this.beside = beside;
    this.map.updateSize();
  }

  /** The whole city. */
  whole() {
    const { bounds } = this.points;
    if (bounds) this.map.getView().fit(bounds, { padding: [24, 24, 24, 24], maxZoom: 17 });
  }

  zoom(by) {
    this.map.getView().animate({ zoom: (this.map.getView().getZoom() ?? 12) + by, duration: 120 });
  }

  /** The queue and what is held, each in its order; in a storm they are taken in a moment later. */
  show(queue, held, selected) {
    clearTimeout(this.taking);
    const urgent = urgentOf(queue);
    const wait = this.takenAt + Math.min(REST * this.cost, MOST_REST_MS) - performance.now();
    if (selected !== this.selected || urgent !== this.urgent || wait <= 0) this.take(queue, held, selected);
    else this.taking = setTimeout(() => this.take(queue, held, selected), wait);
    this.urgent = urgent;
  }

  take(queue, held, selected) {
    const begun = performance.now();
    this.spots.take(queue, held);
    const spot = selected ? this.spots.of(selected) : null;
    this.alarmLayer.show(this.spots.all, spot);
    if (selected !== this.selected && spot) this.follow(spot);
    this.selected = selected;
    this.tellSight();
    this.takenAt = performance.now();
    this.cost = this.takenAt - begun;
  }

  /** `marks`: water and stations near the selected alert, `{lon, lat, kind, label, faulty, west, thing}`. */
  showNear(marks) {
    this.nearLayer.show(marks.map((mark) => {
      const [x, y] = this.project([mark.lon, mark.lat]);
      return { ...mark, x, y };
    }));
  }

  /** Looks at a newly selected alarm once; `back` returns to where the operator was. */
  follow({ x, y }) {
    const view = this.map.getView();
    this.before ??= { center: view.getCenter(), resolution: view.getResolution() };
    const resolution = Math.min(view.getResolution() ?? CLOSE_M, CLOSE_M * 4);
    view.animate({ center: [x, y], resolution, duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 250 });
  }

  /** Back to the view before the first alarm was looked at. @returns {boolean} whether there was one */
  back() {
    if (!this.before) return false;
    this.map.getView().animate({ ...this.before, duration: 150 });
    this.before = null;
    return true;
  }

  statusesChanged() {
    this.points.changed();
  }

  /**
   * What lies under a pixel, else in the middle: `{things, more}`, alarms first, worst first, then the nearest of the others;
   * `{kind: "alarm", id}`, `{kind: "station" | "unit", code, name}`, `{kind: "device", number}` or a mark's `thing`. `more`: not named.
   */
  under(pixel = /** @type {number[]} */ (this.map.getSize()).map((side) => side / 2)) {
    const alarms = this.alarmLayer.hit(pixel).map((id) => ({ kind: "alarm", id }));
    if (alarms.length === 1) return { things: alarms, more: 0 };
    const place = this.map.getCoordinateFromPixel(pixel);
    const resolution = this.map.getView().getResolution() ?? 1;
    const near = this.nearLayer.hit(place, resolution).map(({ thing, far }) => ({ ...thing, far }));
    const marked = new Set(near.map(({ code }) => code).filter(Boolean));
    const rest = [...near, ...this.places.hit(place, resolution).filter(({ code }) => !marked.has(code))];
    const { found, more } = this.points.hit(place, resolution, MOST_HERE);
    rest.push(...found);
    const pixels = ({ far }) => Math.round(far / resolution); // what stands in one place keeps its order
    const things = [...alarms, ...rest.sort((a, b) => pixels(a) - pixels(b))];
    const shown = things.slice(0, Math.max(MOST_HERE, alarms.length));
    return { things: shown, more: more + things.length - shown.length };
  }

  /** What the keyboard means: the middle of the map. */
  pickMiddle() {
    this.onHere(this.under());
  }

  /** Whether somebody reads which alarms are in sight: else they are only counted. */
  setNamed(named) {
    this.named = named;
    this.tellSight();
  }

  /** Which alarms are in sight, and at the edges which wait out of it. */
  tellSight() {
    const size = this.map.getSize();
    if (!size) return;
    const [left, bottom, right, top] = this.map.getView().calculateExtent(size);
    const within = ({ x, y }) => x >= left && x <= right && y >= bottom && y <= top;
    const seen = this.spots.all.filter(within);
    const count = seen.reduce((sum, { alarms }) => sum + alarms.length, 0);
    const leading = this.named ? seen.sort(byLead).slice(0, MOST_IN_SIGHT) : []; // no other spot has one of the first
    const first = leading.flatMap(({ alarms }) => alarms.slice(0, MOST_IN_SIGHT)).sort(compareAlerts).slice(0, MOST_IN_SIGHT);
    const ids = first.map(({ id }) => id);
    const { placeless } = this.spots;
    const key = [count, placeless, ...ids].join();
    if (key !== this.sight) this.onSight({ count, ids, placeless });
    this.sight = key;
    this.tellEdges(this.spots.all.filter((spot) => spot.waiting && !within(spot)), [(left + right) / 2, (bottom + top) / 2], [right - left, top - bottom]);
  }

  /** What waits for somebody and is out of sight, by the direction in which it lies. */
  tellEdges(spots, [midX, midY], [wide, high]) {
    const found = new globalThis.Map();
    for (const { x, y, waiting, foremost } of spots) {
      const turn = Math.atan2((y - midY) / high, (x - midX) / wide);
      const sector = SECTORS[(Math.round((turn / Math.PI) * 4) + 8) % 8];
      const edge = found.get(sector) ?? { sector, count: 0, alarm: foremost };
      edge.count += waiting;
      if (compareAlerts(foremost, edge.alarm) < 0) edge.alarm = foremost;
      found.set(sector, edge);
    }
    const edges = [...found.values()].map(({ sector, count, alarm }) => ({ sector, count, priority: alarm.priority, id: alarm.id }));
    const key = JSON.stringify(edges);
    if (key !== this.edges) this.onEdges(edges);
    this.edges = key;
  }
}

/** What the alarms of priority 1, which come first, are known by: that one came, went or was acknowledged shows in it. */
function urgentOf(alerts) {
  let [count, waiting, newest] = [0, 0, 0];
  for (const alert of alerts) {
    if (alert.priority > 1) break;
    count += 1;
    if (demands(alert)) waiting += 1;
    newest = Math.max(newest, alert.raisedMs);
  }
  return [count, waiting, newest].join();
}
