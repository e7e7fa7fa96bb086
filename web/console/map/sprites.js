// What a device looks like, as pixels to copy: a dot far out, the shape of its kind near; grey, as nothing is wrong with it.

const SIZE = 11;
/** By kind; a shape and never a colour tells kinds apart. */
const SHAPES = {
  hydrant: (ink) => ink.arc(0, 0, 4, 0, 7),
  water_crane: (ink) => (ink.arc(0, 0, 4.5, 0, 7), ink.rect(-1, -5, 2, 10)),
  water_point: (ink) => (ink.moveTo(0, -5), ink.lineTo(4, 2), ink.arc(0, 1.5, 4, 0, Math.PI), ink.closePath()),
  smoke: (ink) => (ink.moveTo(0, -4.5), ink.lineTo(4.5, 4), ink.lineTo(-4.5, 4), ink.closePath()),
  heat: (ink) => (ink.moveTo(0, 4.5), ink.lineTo(4.5, -4), ink.lineTo(-4.5, -4), ink.closePath()),
  gas: (ink) => (ink.moveTo(-4, -2), ink.lineTo(0, -5), ink.lineTo(4, -2), ink.lineTo(4, 3), ink.lineTo(-4, 3), ink.closePath()),
  electrical: (ink) => ink.rect(-4, -4, 8, 8),
  water_level: (ink) => (ink.moveTo(0, -5), ink.lineTo(5, 0), ink.lineTo(0, 5), ink.lineTo(-5, 0), ink.closePath()),
  pump_room: (ink) => (ink.rect(-5, -3, 10, 6), ink.rect(-1.5, -5, 3, 10)),
  panel: (ink) => ink.rect(-3, -5, 6, 10),
  gateway: (ink) => (ink.rect(-5, -1.5, 10, 3), ink.rect(-1.5, -5, 3, 10)),
  unit: (ink) => (ink.rect(-4, -5, 8, 10), ink.rect(-2.5, -3, 2, 2), ink.rect(0.5, -3, 2, 2), ink.rect(-2.5, 0.5, 2, 2), ink.rect(0.5, 0.5, 2, 2)),
  station: (ink) => (ink.moveTo(0, -6), ink.lineTo(6, -1), ink.lineTo(6, 6), ink.lineTo(-6, 6), ink.lineTo(-6, -1), ink.closePath()),
};

/** `[r, g, b, a]` of a CSS colour. */
export function rgba(colour) {
  const ink = /** @type {any} */ (new OffscreenCanvas(1, 1).getContext("2d"));
  ink.fillStyle = colour;
  ink.fillRect(0, 0, 1, 1);
  return ink.getImageData(0, 0, 1, 1).data;
}

/** One 32-bit pixel as ImageData has them. */
export function pixel([r, g, b, a]) {
  return new Uint32Array(new Uint8Array([r, g, b, a]).buffer)[0];
}

/** Pixels of a shape, as columns of offsets from its middle: `{dx, dy, value}`; `hollow` for what is out of reach. */
function stamp(draw, colour, hollow, ratio) {
  const size = Math.ceil(SIZE * ratio) | 1;
  const ink = /** @type {any} */ (new OffscreenCanvas(size, size).getContext("2d"));
  ink.translate(size / 2, size / 2);
  ink.scale(ratio, ratio);
  ink.beginPath();
  draw(ink);
  ink[hollow ? "strokeStyle" : "fillStyle"] = colour;
  ink.lineWidth = 1.4;
  if (hollow) ink.stroke();
  else ink.fill();
  const data = new Uint32Array(ink.getImageData(0, 0, size, size).data.buffer);
  const half = (size - 1) / 2;
  const inked = Array.from(data.keys()).filter((i) => data[i] >>> 24 > 90);
  return { dx: Int8Array.from(inked, (i) => (i % size) - half), dy: Int8Array.from(inked, (i) => Math.floor(i / size) - half), value: Uint32Array.from(inked, (i) => data[i]), half };
}

/** Stamps by kind and status: `near[kind][status]`, and one dot a status far out. */
export function stampsOf(columns, colours, ratio) {
  const faint = (word) => word !== "online";
  const near = columns.kinds.map((kind) => columns.statuses.map((status) => stamp(SHAPES[kind] ?? SHAPES.hydrant, faint(status) ? colours.faint : colours.device, faint(status), ratio)));
  const far = columns.statuses.map((status) => pixel(rgba(faint(status) ? colours.faint : colours.device)));
  return { near, far };
}

/** The outline of a kind, a unit or a station as a path round the middle, 11 pixels wide; filled by the rule "evenodd". */
export function drawKind(ink, kind) {
  ink.beginPath();
  (SHAPES[kind] ?? SHAPES.hydrant)(ink);
}
