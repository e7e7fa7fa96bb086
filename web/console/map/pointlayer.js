// All devices in one layer, their pixels copied into one picture a frame: 100,000 cost no more than a blink, without a GPU.
import { Layer } from "../vendor/ol-console.mjs";
import { PointGrid } from "./grid.js";
import { stampsOf } from "./sprites.js";

/** Metres a pixel below which kinds are told apart by shape. */
const NEAR_M = 3.5;
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
    this.canvas = document.createElement("canvas");
    this.canvas.className = "map-points";
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

  render(frame) {
    const ratio = frame.pixelRatio;
    const [width, height] = frame.size.map((side) => Math.round(side * ratio));
    const { canvas } = this;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    this.stamps ??= stampsOf(this.columns, this.colours, ratio);
    const ink = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const picture = ink.createImageData(width, height);
    const pixels = new Uint32Array(picture.data.buffer);
    const { resolution, center, rotation } = frame.viewState;
    const near = resolution < NEAR_M;
    const { near: shapes, far: dots } = this.stamps;
    const { kind, status } = this.columns;
    const scale = ratio / resolution;
    const [cos, sin] = [Math.cos(rotation) * scale, Math.sin(rotation) * scale];
    const dot = Math.max(1, Math.round((resolution < 20 ? 2 : 1) * ratio));
    this.grid.within(frame.extent, (point) => {
      const [dx, dy] = [this.x[point] - center[0], this.y[point] - center[1]];
      const px = Math.round(width / 2 + dx * cos - dy * sin);
      const py = Math.round(height / 2 - dy * cos - dx * sin);
      if (near) {
        for (const { dx: ox, dy: oy, value } of shapes[kind[point]][status[point]]) {
          const [cx, cy] = [px + ox, py + oy];
          if (cx >= 0 && cy >= 0 && cx < width && cy < height) pixels[cy * width + cx] = value;
        }
        return;
      }
      for (let oy = 0; oy < dot; oy += 1) {
        for (let ox = 0; ox < dot; ox += 1) {
          const [cx, cy] = [px + ox, py + oy];
          if (cx >= 0 && cy >= 0 && cx < width && cy < height) pixels[cy * width + cx] = dots[status[point]];
        }
      }
    });
    ink.putImageData(picture, 0, 0);
    canvas.style.width = `${frame.size[0]}px`;
    canvas.style.height = `${frame.size[1]}px`;
    return canvas;
  }

  /** The device nearest to a place of the map within a finger's breadth, or null. */
  hit([x, y], resolution) {
    const reach = HIT_PX * resolution;
    let best = null;
    let nearest = reach ** 2;
    this.grid.within([x - reach, y - reach, x + reach, y + reach], (point) => {
      const far = (this.x[point] - x) ** 2 + (this.y[point] - y) ** 2;
      if (far <= nearest) [best, nearest] = [point, far];
    });
    return best;
  }
}
