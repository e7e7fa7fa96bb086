// The canvas a layer draws on: a little larger than the map, so that ground that only moves is moved and not drawn anew.

const MARGIN = 96; // CSS pixels on each side

export class Sheet {
  /** `name`: the canvas's class. */
  constructor(name) {
    this.canvas = document.createElement("canvas");
    this.canvas.className = name;
    /** What is drawn: for which view, of what. */
    this.drawn = /** @type {{revision: number, center: number[], resolution: number, size: number[], ratio: number, margin: number} | null} */ (null);
    /** Where the sheet's corner is on the map, CSS pixels. */
    this.corner = [0, 0];
  }

  /** Whether what is drawn does for `frame`, too; then it is put where it belongs. `revision`: of what the layer shows. */
  serves(frame, revision) {
    const { drawn } = this;
    const { center, resolution } = frame.viewState;
    if (drawn?.revision !== revision || drawn.resolution !== resolution || drawn.ratio !== frame.pixelRatio) return false;
    if (drawn.size[0] !== frame.size[0] || drawn.size[1] !== frame.size[1]) return false;
    const [x, y] = [(drawn.center[0] - center[0]) / resolution, (center[1] - drawn.center[1]) / resolution];
    if (Math.max(Math.abs(x), Math.abs(y)) > drawn.margin) return false;
    this.put(x, y);
    return true;
  }

  /**
   * Clears the sheet to be drawn for `frame`: `{ink, wide, high, ratio, center, resolution, extent}`, `wide` and `high` in CSS pixels,
   * `ratio` device pixels in one of them, `center` in the middle of it, in metres of the map as `extent`.
   */
  begin(frame, revision) {
    const { pixelRatio: ratio, size } = frame;
    const { center, resolution } = frame.viewState; // the map is never turned
    const margin = this.drawn?.resolution === resolution ? MARGIN : 0; // while it zooms each frame is another
    this.drawn = { revision, center, resolution, size, ratio, margin };
    const [wide, high] = size.map((side) => side + 2 * margin);
    const [width, height] = [Math.round(wide * ratio), Math.round(high * ratio)];
    const { canvas } = this;
    const ink = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    if (canvas.width === width && canvas.height === height) ink.reset();
    else Object.assign(canvas, { width, height });
    canvas.style.width = `${wide}px`;
    canvas.style.height = `${high}px`;
    this.put(0, 0);
    const [dx, dy] = [(wide / 2) * resolution, (high / 2) * resolution];
    const extent = [center[0] - dx, center[1] - dy, center[0] + dx, center[1] + dy];
    return { ink, wide, high, ratio, center, resolution, extent };
  }

  /** `x`, `y`: how far the ground has moved since it was drawn, CSS pixels. */
  put(x, y) {
    const { margin, ratio } = /** @type {NonNullable<Sheet["drawn"]>} */ (this.drawn);
    this.corner = [x, y].map((side) => Math.round((side - margin) * ratio) / ratio); // between two pixels it would be blurred
    this.canvas.style.transform = `translate(${this.corner[0]}px, ${this.corner[1]}px)`;
  }

  /** A pixel of the map on the sheet. */
  at([x, y]) {
    return [x - this.corner[0], y - this.corner[1]];
  }
}
