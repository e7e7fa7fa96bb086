// Networked units 联网单位 and micro fire stations 微型消防站: small marks above the devices, named when near; below every alarm.
import { Layer } from "../vendor/ol-console.mjs";
import { PointGrid } from "./grid.js";
import { Sheet } from "./sheet.js";
import { drawKind } from "./sprites.js";

/** Metres a pixel: nearer than this a unit has its shape, and its name; more of them than so many in view are dots. */
const SHAPE_M = { unit: 7, station: 60 };
const MOST_SHAPES = 300;
const NAME_M = { unit: 1.6, station: 3 };
const MOST_NAMES = 60;
const HIT_PX = 11;
const SIZE = 8;

/** Places of one kind. `columns`: `{lon, lat, name}` and the codes under `kind`. */
class Places {
  constructor(kind, columns, project) {
    this.kind = kind;
    this.codes = columns[kind];
    this.names = columns.name;
    const count = this.codes.length;
    this.x = new Float64Array(count);
    this.y = new Float64Array(count);
    for (let i = 0; i < count; i += 1) [this.x[i], this.y[i]] = project([columns.lon[i], columns.lat[i]]);
    this.grid = new PointGrid(this.x, this.y, Uint32Array.from({ length: count }, (_, i) => i), 500);
  }
}

export class PlaceLayer extends Layer {
  constructor({ colours, project }) {
    super({ zIndex: 3 });
    this.colours = colours;
    this.project = project;
    /** @type {Places[]} units below stations */
    this.places = [];
    this.hidden = new Set();
    this.sheet = new Sheet("map-places");
  }

  getSourceState() {
    return "ready";
  }

  /** `places`: answer of GET /api/v1/map/places. */
  setPlaces({ units, stations }) {
    this.places = [new Places("unit", units, this.project), new Places("station", stations, this.project)];
    this.changed();
  }

  setHidden(hidden) {
    this.hidden = hidden;
    this.changed();
  }

  get inSight() {
    return this.places.filter(({ kind }) => !this.hidden.has(kind));
  }

  render(frame) {
    const { canvas } = this.sheet;
    if (this.sheet.serves(frame, this.getRevision())) return canvas;
    const { ink, wide, high, ratio, center, resolution, extent } = this.sheet.begin(frame, this.getRevision());
    ink.scale(ratio, ratio);
    const taken = /** @type {number[][]} */ ([]);
    for (const places of this.inSight) {
      const near = resolution < SHAPE_M[places.kind] && places.grid.count(extent) <= MOST_SHAPES;
      const named = [];
      ink.beginPath();
      places.grid.within(extent, (i) => {
        const x = Math.round(wide / 2 + (places.x[i] - center[0]) / resolution);
        const y = Math.round(high / 2 - (places.y[i] - center[1]) / resolution);
        if (x < -SIZE || y < -SIZE || x > wide + SIZE || y > high + SIZE) return;
        if (near) this.plate(ink, places.kind, x, y);
        else ink.rect(x - 1.5, y - 1.5, 3, 3);
        if (resolution < NAME_M[places.kind] && named.length < MOST_NAMES) named.push([x, y, places.names[i] || places.codes[i]]);
      });
      if (!near) {
        ink.fillStyle = this.colours.label;
        ink.fill();
      }
      for (const [x, y, name] of named) this.name(ink, x, y, name, taken);
    }
    return canvas;
  }

  plate(ink, kind, x, y) {
    ink.save();
    ink.translate(x, y);
    ink.beginPath();
    ink.rect(-SIZE, -SIZE, 2 * SIZE, 2 * SIZE);
    ink.fillStyle = this.colours.ground;
    ink.fill();
    ink.lineWidth = 1.2;
    ink.strokeStyle = this.colours.area;
    ink.stroke();
    ink.fillStyle = this.colours.label;
    drawKind(ink, kind);
    ink.fill(kind === "unit" ? "evenodd" : "nonzero");
    ink.restore();
  }

  /** A name below its place, unless another stands there. */
  name(ink, x, y, name, taken) {
    ink.font = "13px system-ui, 'Noto Sans CJK SC', sans-serif";
    const half = ink.measureText(name).width / 2 + 2;
    const box = [x - half, y + SIZE, x + half, y + SIZE + 17];
    if (taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) return;
    taken.push(box);
    ink.textAlign = "center";
    ink.textBaseline = "top";
    ink.lineWidth = 4;
    ink.strokeStyle = this.colours.ground;
    ink.strokeText(name, x, y + SIZE + 3);
    ink.fillStyle = this.colours.label;
    ink.fillText(name, x, y + SIZE + 3);
  }

  /** What of it lies within a finger's breadth of a place of the map: `{kind, code, name, far}`, `far` in metres of the map. */
  hit([x, y], resolution) {
    const reach = HIT_PX * resolution;
    const found = [];
    for (const { kind, grid, codes, names, x: xs, y: ys } of this.inSight) {
      grid.within([x - reach, y - reach, x + reach, y + reach], (i) => {
        const far = Math.hypot(xs[i] - x, ys[i] - y);
        if (far <= reach) found.push({ kind, code: codes[i], name: names[i], far });
      });
    }
    return found;
  }
}
