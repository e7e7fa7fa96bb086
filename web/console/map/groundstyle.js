// How the ground is drawn: one quiet style for the city's own lines and for vector tiles by the names of their layers
// (Protomaps, OpenMapTiles, Shortbread, and what tippecanoe makes of our own file), in the colours of the theme.
import { Fill, Stroke, Style, Text } from "../vendor/ol-console.mjs";

/** What a layer of vector tiles is, by its name. */
const LAYERS = {
  water: "water", ocean: "water", water_polygons: "water", waterway: "stream", water_lines: "stream",
  landcover: "green", landuse: "landuse", park: "green", land: "landuse", natural: "green", sites: "built",
  building: "building", buildings: "building",
  roads: "road", transportation: "road", streets: "road", street: "road", transit: "road",
  boundaries: "boundary", boundary: "boundary",
  places: "place", place: "place", place_labels: "place", boundary_labels: "place",
  transportation_name: "road_name", street_labels: "road_name",
  earth: "", pois: "", poi: "", housenumber: "", addresses: "", water_name: "water_name", water_polygons_labels: "water_name", physical_point: "place",
};
const GREEN = /^(park|forest|wood|grass|grassland|meadow|garden|farmland|scrub|cemetery|recreation_ground|pitch|golf_course|nature_reserve|orchard|wetland|allotments|village_green)/;
const BIG = /^(motorway|trunk|primary|highway|major_road|arterial)/;
const MIDDLE = /^(secondary|tertiary|medium_road)/;
const RAIL = /^(rail|transit|subway|light_rail|tram)/;
/** Places by how far out they are named, in metres a pixel. */
const NAMED_TO_M = { country: 20_000, region: 3_000, state: 3_000, province: 3_000, city: 800, locality: 400, town: 300, district: 200, village: 60, suburb: 80, borough: 80, macrohood: 60, neighbourhood: 20, quarter: 30, hamlet: 20 };

/** What a feature is, of ours by its `kind`, of a tile by its layer. */
function roleOf(feature) {
  const layer = feature.get("layer");
  const kind = feature.get("kind") ?? feature.get("class") ?? feature.get("subclass") ?? "";
  if (kind === "street" || kind === "grid" || (kind === "district" && feature.getGeometry?.().getType?.() !== "Point" && !LAYERS[layer])) return { role: kind, kind: feature.get("class") ?? "" };
  return { role: LAYERS[layer] ?? "line", kind };
}

/** `theme`: colours, and `lang` of the names. */
export function groundStyle(theme) {
  const line = (color, width, lineDash) => new Style({ stroke: new Stroke({ color, width, lineDash }) });
  const area = (color, edge) => new Style({ fill: new Fill({ color }), stroke: edge ? new Stroke({ color: edge, width: 0.6 }) : undefined });
  const drawn = {
    water: area(theme.water), stream: line(theme.water, 2), green: area(theme.green), built: area(theme.built), building: area(theme.building, theme.street),
    street: line(theme.street, 1), middle: line(theme.street, 1.6), arterial: line(theme.street, 2.5), rail: line(theme.street, 1, [6, 4]),
    grid: line(theme.area, 1, [2, 6]), district: line(theme.area, 2, [10, 6]), boundary: line(theme.area, 1, [8, 5]),
  };
  const nameOf = (feature) => (theme.lang === "en" ? feature.get("name:en") ?? feature.get("name_en") ?? feature.get("name:latin") : feature.get("name:zh") ?? feature.get("name:zh-Hans") ?? feature.get("name_zh")) ?? feature.get("name") ?? "";
  const label = (text, size, placement = /** @type {"point" | "line"} */ ("point")) =>
    new Style({ text: new Text({ text, placement, font: `${size}px system-ui, 'Noto Sans CJK SC', sans-serif`, fill: new Fill({ color: theme.label }), stroke: new Stroke({ color: theme.ground, width: 4 }), overflow: placement === "point" }) });
  const road = (feature, kind, resolution) => {
    if (RAIL.test(kind)) return resolution < 80 ? drawn.rail : undefined;
    const how = BIG.test(kind) ? drawn.arterial : MIDDLE.test(kind) ? drawn.middle : resolution < 25 ? drawn.street : undefined;
    const name = resolution < 6 && how && how !== drawn.street ? nameOf(feature) : "";
    return name ? [how, label(name, 12, "line")] : how;
  };
  const ROLES = {
    street: (feature, kind, resolution) => (kind === "arterial" ? drawn.arterial : resolution < 25 ? drawn.street : undefined),
    grid: (feature, kind, resolution) => (resolution < 12 ? drawn.grid : undefined),
    district: (feature) => [drawn.district, label(nameOf(feature), 15)],
    road,
    road_name: (feature, kind, resolution) => (resolution < 6 && (BIG.test(kind) || MIDDLE.test(kind)) ? label(nameOf(feature), 12, "line") : undefined),
    place: (feature, kind, resolution) => (resolution < (NAMED_TO_M[feature.get("kind_detail")] ?? NAMED_TO_M[kind] ?? 20) ? label(nameOf(feature), resolution > 60 ? 15 : 13) : undefined),
    water_name: (feature, kind, resolution) => (resolution < 30 ? label(nameOf(feature), 12) : undefined),
    landuse: (feature, kind) => (GREEN.test(kind) ? drawn.green : drawn.built),
    building: (feature, kind, resolution) => (resolution < 8 ? drawn.building : undefined),
    water: (feature) => (/LineString/.test(feature.getType?.() ?? feature.getGeometry().getType()) ? drawn.stream : drawn.water),
    line: () => drawn.street,
  };
  return (feature, resolution) => {
    const { role, kind } = roleOf(feature);
    if (!role) return undefined;
    const how = ROLES[role];
    return how ? how(feature, kind, resolution) : drawn[role];
  };
}
