// What a page that stands for days remembers of what was done at it: the newest of it.

/** Nobody looks for what became of an older one. */
const REMEMBERED = 500;

/** Puts an entry last, and lets the oldest go where there are too many. @template {Map<string, any>} M @param {M} map @returns {M} */
export function remembered(map, name, value) {
  map.delete(name);
  map.set(name, value);
  for (const key of map.keys()) {
    if (map.size <= REMEMBERED) break;
    map.delete(key);
  }
  return map;
}
