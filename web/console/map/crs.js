// The coordinates a base map is drawn in: WGS-84 places are moved by so much for display, and never stored.

const A = 6_378_245.0;
const E2 = 0.006_693_421_622_965_943;
const BD = (Math.PI * 3000) / 180;

const wave = (x, parts) => parts.reduce((sum, [size, rate]) => sum + size * Math.sin(rate * x * Math.PI), 0);

function north(x, y) {
  const flat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x));
  return flat + (2 / 3) * (wave(x, [[20, 6], [20, 2]]) + wave(y, [[20, 1], [40, 1 / 3], [160, 1 / 12], [320, 1 / 30]]));
}

function east(x, y) {
  const flat = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x));
  return flat + (2 / 3) * wave(x, [[20, 6], [20, 2], [20, 1], [40, 1 / 3], [150, 1 / 12], [300, 1 / 30]]);
}

/** Where GCJ-02 is in force; elsewhere it is WGS-84. */
const isInChina = (lon, lat) => lon > 72.004 && lon < 137.8347 && lat > 0.8293 && lat < 55.8271;

function gcj02([lon, lat]) {
  if (!isInChina(lon, lat)) return [lon, lat];
  const angle = (lat / 180) * Math.PI;
  const magic = 1 - E2 * Math.sin(angle) ** 2;
  const up = (north(lon - 105, lat - 35) * 180) / (((A * (1 - E2)) / (magic * Math.sqrt(magic))) * Math.PI);
  const along = (east(lon - 105, lat - 35) * 180) / ((A / Math.sqrt(magic)) * Math.cos(angle) * Math.PI);
  return [lon + along, lat + up];
}

function bd09(place) {
  const [lon, lat] = gcj02(place);
  const far = Math.hypot(lon, lat) + 0.00002 * Math.sin(lat * BD);
  const turn = Math.atan2(lat, lon) + 0.000003 * Math.cos(lon * BD);
  return [far * Math.cos(turn) + 0.0065, far * Math.sin(turn) + 0.006];
}

const SHIFTS = { wgs84: (place) => place, gcj02, bd09 };

/** What moves a WGS-84 place into the coordinates of the base map. */
export const shiftTo = (crs) => SHIFTS[crs];
