// The canvas a layer draws on, as large as the map is this frame.

/** Cleared and sized for `frame`: `{ink, wide, high, ratio}`, `wide` and `high` in CSS pixels, `ratio` device pixels in one of them. */
export function sheet(canvas, frame) {
  const ratio = frame.pixelRatio;
  const [wide, high] = frame.size;
  Object.assign(canvas, { width: Math.round(wide * ratio), height: Math.round(high * ratio) });
  canvas.style.width = `${wide}px`;
  canvas.style.height = `${high}px`;
  return { ink: /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")), wide, high, ratio };
}
