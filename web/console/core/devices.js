// Every device in columns, as GET /api/v1/devices/snapshot gives them: 10 bytes each, the slot is the device's number.

const NOWHERE = -(2 ** 31);
const NO_DEVICE = 255;
const SCALE = 1e7;
/** Kinds that give water. */
export const WATER = ["hydrant", "water_crane", "water_point"];

const EARTH_M = 6_371_008.8;
const radians = (degrees) => (degrees * Math.PI) / 180;

/** Metres between two places in degrees, on a sphere. */
export function metresBetween(lonA, latA, lonB, latB) {
  const up = radians(latB - latA) / 2;
  const along = radians(lonB - lonA) / 2;
  const h = Math.sin(up) ** 2 + Math.cos(radians(latA)) * Math.cos(radians(latB)) * Math.sin(along) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

export class DeviceColumns {
  constructor({ count, kinds, statuses, lon, lat, kind, status }) {
    Object.assign(this, { count, kinds, statuses, lon, lat, kind, status });
  }

  /** Reads a snapshot; an Error says what of it is wrong. @param {ArrayBuffer} buffer */
  static read(buffer) {
    const bytes = new Uint8Array(buffer);
    if (bytes.length < 8 || String.fromCharCode(...bytes.subarray(0, 4)) !== "FTD1") throw new Error("not a snapshot of devices");
    const length = new DataView(buffer).getUint32(4, true);
    const { count, kinds, statuses } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    let at = 8 + length;
    if (bytes.length !== at + 10 * count) throw new Error(`a snapshot of ${count} devices has ${bytes.length - at} bytes, not ${10 * count}`);
    const column = (Type) => {
      const values = new Type(buffer, at, count);
      at += values.byteLength;
      return values;
    };
    const [lon, lat, kind, status] = [Int32Array, Int32Array, Uint8Array, Uint8Array].map(column);
    return new DeviceColumns({ count, kinds, statuses, lon, lat, kind, status });
  }

  has(number) {
    return number >= 0 && number < this.count && this.kind[number] !== NO_DEVICE;
  }

  /** Whether the map can show it. */
  hasPlace(number) {
    return this.has(number) && this.lon[number] !== NOWHERE && this.lat[number] !== NOWHERE;
  }

  /** Degrees, WGS-84. */
  place(number) {
    return [this.lon[number] / SCALE, this.lat[number] / SCALE];
  }

  kindOf(number) {
    return this.kinds[this.kind[number]];
  }

  statusOf(number) {
    return this.statuses[this.status[number]];
  }

  /** Takes what a live frame says; false for a device that is newer than the snapshot. */
  setStatus(number, word) {
    if (!this.has(number)) return false;
    this.status[number] = this.statuses.indexOf(word);
    return true;
  }

  /** Numbers of all that have a place. */
  *placed() {
    for (let number = 0; number < this.count; number += 1) if (this.hasPlace(number)) yield number;
  }

  /** How many stand on the map by `kind:…` and `status:…`. */
  tally() {
    const counts = new Map();
    const byKind = new Uint32Array(256);
    const byStatus = new Uint32Array(256);
    for (const number of this.placed()) {
      byKind[this.kind[number]] += 1;
      byStatus[this.status[number]] += 1;
    }
    this.kinds.forEach((kind, i) => counts.set(`kind:${kind}`, byKind[i]));
    this.statuses.forEach((status, i) => counts.set(`status:${status}`, byStatus[i]));
    return counts;
  }

  /** The nearest that give water: `{number, metres}`, nearest first. */
  nearestWater(lon, lat, most = 3) {
    const gives = new Set(WATER.map((kind) => this.kinds.indexOf(kind)));
    const found = [];
    for (let number = 0; number < this.count; number += 1) {
      if (!gives.has(this.kind[number]) || !this.hasPlace(number)) continue;
      const metres = metresBetween(lon, lat, this.lon[number] / SCALE, this.lat[number] / SCALE);
      if (found.length < most || metres < found.at(-1).metres) {
        found.push({ number, metres });
        found.sort((a, b) => a.metres - b.metres);
        found.length = Math.min(found.length, most);
      }
    }
    return found;
  }
}
