// All devices in one layer, their pixels copied into one picture a frame: 100,000 cost no more than a blink, without a GPU.
import { Layer } from "../vendor/ol-console.mjs";
import { PointGrid } from "./grid.js";
import { Sheet } from "./sheet.js";
import { stampsOf } from "./sprites.js";

/** Metres a pixel below which kinds are told apart by shape, unless so many are in view that shapes would cover one another. */
const NEAR_M = 3.5;
const MOST_SHAPES = 15_000;
const HIT_PX = 10;

export class PointLayer extends Layer {
  /** `columns`: core/devices.js; `project`: degrees to the map's metres. */
  constructor({ columns, project, colours }) {
    super({});
    this.columns = columns;
    this.x = new Float64Array(columns.count);
    this.y = new Float64Array(columns.count);
    const points = [...columns.placed()];
    for (const point of points) [this.x[point], this.y[point]] = project(columns.place(point));
    this.grid = new PointGrid(this.x, this.y, points);
    this.sheet = new Sheet("map-points");
    this.setHidden(new Set());
    this.setColours(colours);
  }

  get bounds() {
    return this.grid.extent;
  }

  getSourceState() {
    return "ready";
  }

  setColours(colours) {
    this.colours = colours;
    this.stamps = null;
    this.changed();
  }

  /** What the operator does not want to see: `kind:…` and `status:…` by name. */
  setHidden(hidden) {
    const { kinds, statuses } = this.columns;
    const seen = (group, name) => !hidden.has(`${group}:${name}`);
    /** By kind and status, 1 where such a device is shown. */
    this.shown = kinds.map((kind) => Uint8Array.from(statuses, (status) => Number(seen("kind", kind) && seen("status", status))));
    this.changed();
  }

  render(frame) {
    const { canvas } = this.sheet;
    if (this.sheet.serves(frame, this.getRevision())) return canvas;
    const { ink, ratio, center, resolution, extent } = this.sheet.begin(frame, this.getRevision());
    const { width, height } = canvas;
    const { x, y, shown } = this;
    if (this.picture?.width !== width || this.picture.height !== height) this.picture = ink.createImageData(width, height);
    this.stamps ??= stampsOf(this.columns, this.colours, ratio);
    const { picture } = this;
    const pixels = new Uint32Array(picture.data.buffer).fill(0);
    const { near: shapes, far: dots } = this.stamps;
    const { kind, status } = this.columns;
    const scale = ratio / resolution;
    const left = width / 2 - center[0] * scale;
    const top = height / 2 + center[1] * scale;
    const dot = Math.max(1, Math.round((resolution < 20 ? 2 : 1) * ratio));
    const far = (point) => {
      if (!shown[kind[point]][status[point]]) return;
      const px = Math.round(left + x[point] * scale);
      const py = Math.round(top - y[point] * scale);
      if (px < 0 || py < 0 || px + dot > width || py + dot > height) return;
      const value = dots[status[point]];
      for (let row = py * width + px; row < (py + dot) * width; row += width) {
        for (let at = row; at < row + dot; at += 1) pixels[at] = value;
      }
    };
    const edge = (px, py, dx, dy, value) => {
      for (let i = 0; i < value.length; i += 1) {
        const [cx, cy] = [px + dx[i], py + dy[i]];
        if (cx >= 0 && cy >= 0 && cx < width && cy < height) pixels[cy * width + cx] = value[i];
      }
    };
    const near = (point) => {
      if (!shown[kind[point]][status[point]]) return;
      const px = Math.round(left + x[point] * scale);
      const py = Math.round(top - y[point] * scale);
      const { dx, dy, value, half } = shapes[kind[point]][status[point]];
      if (px < half || py < half || px + half >= width || py + half >= height) return edge(px, py, dx, dy, value);
      const middle = py * width + px;
      for (let i = 0; i < value.length; i += 1) pixels[middle + dy[i] * width + dx[i]] = value[i];
    };
    const shaped = resolution < NEAR_M && this.grid.count(extent) <= MOST_SHAPES;
    this.grid.within(extent, shaped ? near : far);
    ink.putImageData(picture, 0, 0);
    return canvas;
  }

  /** The devices within a finger's breadth of a place of the map: `{found: {kind, number, far}, more}`, at most `most`, the nearest first. */
  hit([x, y], resolution, most) {
    const reach = HIT_PX * resolution;
    const found = [];
    this.grid.within([x - reach, y - reach, x + reach, y + reach], (number) => {
      const far = Math.hypot(this.x[number] - x, this.y[number] - y);
      if (far <= reach && this.shown[this.columns.kind[number]][this.columns.status[number]]) found.push({ kind: "device", number, far });
    });
    found.sort((a, b) => a.far - b.far);
    return { found: found.slice(0, most), more: Math.max(0, found.length - most) };
  }
}
