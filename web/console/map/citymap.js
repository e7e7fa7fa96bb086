// 消防一张图: ground, base map, devices and alarms in one view; asked for when the map is first looked at.
import { Map, View, defaultInteractions, fromLonLat } from "../vendor/ol-console.mjs";
import { AlarmLayer, worseFirst } from "./alarmlayer.js";
import { baseLayer, recolour } from "./basemap.js";
import { shiftTo } from "./crs.js";
import { NearLayer } from "./nearlayer.js";
import { PointLayer } from "./pointlayer.js";

const CLOSE_M = 1.2; // metres a pixel when an alarm is looked at
const SECTORS = ["e", "ne", "n", "nw", "w", "sw", "s", "se"];

/** Colours of the theme in force, from the page's own custom properties. */
function coloursOf(element) {
  const css = getComputedStyle(element);
  const read = (name) => css.getPropertyValue(name).trim();
  return {
    ground: read("--ground"), text: read("--text"), ink: read("--symbol-ink"), device: read("--muted"), faint: read("--line"),
    street: read("--line"), area: read("--edge"), label: read("--muted"), p1: read("--p1"), p2: read("--p2"), p3: read("--p3"), p4: read("--p4"),
  };
}

export class CityMap {
  /**
   * `columns`: core/devices.js; `base`: answer of GET /api/v1/map. `onAlarms(ids)`, `onDevice(number)`: a click;
   * `onEdges(edges)`: what waits out of sight, `{sector, count, priority, id}`; `onTrouble(text)`: the base map is missing.
   */
  constructor({ target, columns, base, onAlarms, onDevice, onEdges, onTrouble }) {
    this.base = base;
    this.onEdges = onEdges;
    this.shift = shiftTo(base.crs);
    this.target = target;
    this.alarms = [];
    this.selected = "";
    this.before = null;
    const colours = coloursOf(target);
    this.points = new PointLayer({ columns, project: (place) => this.project(place), colours });
    this.nearLayer = new NearLayer({ colours });
    this.alarmLayer = new AlarmLayer({ colours });
    this.map = new Map({
      target,
      layers: [this.points, this.nearLayer, this.alarmLayer],
      controls: [], // OpenLayers' own write HTML, which the page's policy forbids
      interactions: defaultInteractions({ altShiftDragRotate: false, pinchRotate: false }),
      view: new View({ center: [0, 0], resolution: 40, constrainRotation: false, enableRotation: false }),
    });
    this.whole();
    this.map.on("click", (event) => this.clicked(event, onAlarms, onDevice));
    this.map.on("moveend", () => this.tellEdges());
    baseLayer(base, colours).then(
      (layer) => {
        this.baseLayer = layer;
        if (layer) this.map.getLayers().insertAt(0, layer);
      },
      (error) => onTrouble(String(error.message ?? error)),
    );
    this.resizing = new ResizeObserver(() => this.map.updateSize());
    this.resizing.observe(target);
    this.theme = new MutationObserver(() => this.recolour());
    this.theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.blink = new MutationObserver(() => this.alarms.some((alarm) => alarm.waiting) && this.alarmLayer.changed());
    this.blink.observe(document.documentElement, { attributes: true, attributeFilter: ["data-blink"] });
  }

  dispose() {
    for (const observer of [this.resizing, this.theme, this.blink]) observer.disconnect();
    this.map.setTarget(undefined);
    this.map.dispose();
  }

  project(place) {
    return fromLonLat(this.shift(place));
  }

  recolour() {
    const colours = coloursOf(this.target);
    this.points.setColours(colours);
    for (const layer of [this.nearLayer, this.alarmLayer]) {
      layer.colours = colours;
      layer.changed();
    }
    recolour(this.baseLayer, this.base, colours);
  }

  /** The whole city. */
  whole() {
    const { bounds } = this.points;
    if (bounds) this.map.getView().fit(bounds, { padding: [24, 24, 24, 24], maxZoom: 17 });
  }

  zoom(by) {
    this.map.getView().animate({ zoom: (this.map.getView().getZoom() ?? 12) + by, duration: 120 });
  }

  /** `alarms`: `{id, lon, lat, priority, waiting, fire, raisedMs}`, of which those with a place are shown. */
  show(alarms, selected) {
    this.alarms = alarms.filter(({ lon, lat }) => lon !== null && lat !== null).map((alarm) => {
      const [x, y] = this.project([alarm.lon, alarm.lat]);
      return { ...alarm, x, y };
    }).sort(worseFirst); // once: what is in order is sorted again at no cost
    this.alarmLayer.show(this.alarms, selected);
    if (selected !== this.selected) this.follow(selected);
    this.selected = selected;
    this.tellEdges();
  }

  /** `marks`: water and stations near the selected alert, `{lon, lat, kind, label, faulty, west}`. */
  showNear(marks) {
    this.nearLayer.show(marks.map((mark) => {
      const [x, y] = this.project([mark.lon, mark.lat]);
      return { ...mark, x, y };
    }));
  }

  /** Looks at a newly selected alarm once; `back` returns to where the operator was. */
  follow(id) {
    const alarm = this.alarms.find((each) => each.id === id);
    if (!alarm) return;
    const view = this.map.getView();
    this.before ??= { center: view.getCenter(), resolution: view.getResolution() };
    const resolution = Math.min(view.getResolution() ?? CLOSE_M, CLOSE_M * 4);
    view.animate({ center: [alarm.x, alarm.y], resolution, duration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 250 });
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

  clicked(event, onAlarms, onDevice) {
    const ids = this.alarmLayer.hit(event.pixel);
    if (ids.length) return onAlarms(ids);
    const number = this.points.hit(event.coordinate, this.map.getView().getResolution() ?? 1);
    onDevice(number);
  }

  /** What waits for somebody and is out of sight, by the direction in which it lies. */
  tellEdges() {
    const size = this.map.getSize();
    if (!size) return;
    const [left, bottom, right, top] = this.map.getView().calculateExtent(size);
    const [midX, midY] = [(left + right) / 2, (bottom + top) / 2];
    const found = new globalThis.Map();
    for (const alarm of [...this.alarms].sort(worseFirst)) {
      if (!alarm.waiting || (alarm.x >= left && alarm.x <= right && alarm.y >= bottom && alarm.y <= top)) continue;
      const turn = Math.atan2((alarm.y - midY) / (top - bottom), (alarm.x - midX) / (right - left));
      const sector = SECTORS[(Math.round((turn / Math.PI) * 4) + 8) % 8];
      const edge = found.get(sector);
      if (edge) edge.count += 1;
      else found.set(sector, { sector, count: 1, priority: alarm.priority, id: alarm.id });
    }
    this.onEdges([...found.values()]);
  }
}
