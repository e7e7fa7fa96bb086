// The nearest water and stations of the selected alert: small marks with their distance, above the devices and below every alarm.
import { Layer } from "../vendor/ol-console.mjs";
import { drawKind } from "./sprites.js";

const SIZE = 9;
const HIT_PX = 13;

export class NearLayer extends Layer {
  constructor({ colours }) {
    super({ zIndex: 5 });
    this.colours = colours;
    /** @type {any[]} `{x, y, kind, label, faulty, west, thing}`, `west`: it lies west of the alert, x and y in metres of the map, `thing`: what it is */
    this.marks = [];
    this.canvas = document.createElement("canvas");
    this.canvas.className = "map-near";
  }

  getSourceState() {
    return "ready";
  }

  show(marks) {
    this.marks = marks;
    this.changed();
  }

  render(frame) {
    const ratio = frame.pixelRatio;
    const [wide, high] = frame.size;
    const { canvas } = this;
    Object.assign(canvas, { width: Math.round(wide * ratio), height: Math.round(high * ratio) });
    canvas.style.width = `${wide}px`;
    canvas.style.height = `${high}px`;
    const ink = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const { resolution, center } = frame.viewState; // the map is never turned
    for (const mark of this.marks) {
      const [x, y] = [wide / 2 + (mark.x - center[0]) / resolution, high / 2 - (mark.y - center[1]) / resolution];
      if (x < -SIZE || y < -SIZE || x > wide + SIZE || y > high + SIZE) continue;
      ink.setTransform(ratio, 0, 0, ratio, Math.round(x) * ratio, Math.round(y) * ratio);
      this.draw(ink, mark);
    }
    return canvas;
  }

  /** A plate with the shape of the kind; what may give no water is crossed out and dashed. */
  draw(ink, { kind, label, faulty, west }) {
    ink.beginPath();
    ink.rect(-SIZE, -SIZE, 2 * SIZE, 2 * SIZE);
    ink.fillStyle = this.colours.ground;
    ink.fill();
    ink.lineWidth = 1.5;
    ink.setLineDash(faulty ? [3, 2] : []);
    ink.strokeStyle = this.colours.text;
    ink.stroke();
    ink.setLineDash([]);
    drawKind(ink, kind);
    ink.fillStyle = this.colours.text;
    ink.fill();
    if (faulty) {
      ink.beginPath();
      ink.moveTo(-SIZE, SIZE);
      ink.lineTo(SIZE, -SIZE);
      ink.lineWidth = 2;
      ink.stroke();
    }
    ink.font = "13px system-ui, sans-serif";
    ink.textBaseline = "middle";
    ink.lineWidth = 4;
    ink.strokeStyle = this.colours.ground;
    ink.textAlign = west ? "right" : "left";
    const beside = (SIZE + 5) * (west ? -1 : 1); // away from the alarm
    ink.strokeText(label, beside, 0);
    ink.fillText(label, beside, 0);
  }

  /** What of it lies under a finger, as it was given, with `far` in metres of the map. */
  hit([x, y], resolution) {
    return this.marks.map((mark) => ({ ...mark, far: Math.hypot(mark.x - x, mark.y - y) })).filter(({ far }) => far < HIT_PX * resolution);
  }
}
