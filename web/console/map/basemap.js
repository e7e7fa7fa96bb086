// What lies under the devices: the city's own lines, tiles, or a PMTiles file; without any, the plain ground.
import { Fill, GeoJSON, PMTiles, PMTilesRasterSource, PMTilesVectorSource, Stroke, Style, Text, TileLayer, VectorLayer, VectorSource, VectorTileLayer, XYZ } from "../vendor/ol-console.mjs";

const VECTOR = 1; // PMTiles' number of vector tiles (MVT)

/** The style of a feature of the city's own lines, by its `kind` and `class`; labels in the system's own fonts. */
function styleOf(colours) {
  const line = (colour, width, dash) => new Style({ stroke: new Stroke({ color: colour, width, lineDash: dash }) });
  const street = line(colours.street, 1);
  const arterial = line(colours.street, 2.5);
  const grid = line(colours.area, 1, [2, 6]);
  const district = line(colours.area, 2, [10, 6]);
  return (feature, resolution) => {
    const kind = feature.get("kind");
    if (kind === "street") {
      if (feature.get("class") === "arterial") return arterial;
      return resolution < 25 ? street : undefined;
    }
    if (kind === "grid") return resolution < 12 ? grid : undefined;
    if (kind !== "district") return street;
    const name = new Style({
      text: new Text({ text: feature.get("name") ?? "", font: "15px system-ui, 'Noto Sans CJK SC', sans-serif", fill: new Fill({ color: colours.label }), stroke: new Stroke({ color: colours.ground, width: 4 }), overflow: true }),
    });
    return [district, name];
  };
}

/**
 * The layer of a base map, null where there is none; a rejected promise says why it cannot be had.
 * `base`: answer of GET /api/v1/map.
 */
export async function baseLayer(base, colours) {
  if (base.kind === "tiles") return new TileLayer({ source: new XYZ({ url: base.url }) });
  if (base.kind === "geojson") {
    const answer = await fetch(base.url, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`base map: status ${answer.status}`);
    const features = new GeoJSON().readFeatures(await answer.json(), { featureProjection: "EPSG:3857" });
    return new VectorLayer({ source: new VectorSource({ features }), style: styleOf(colours), declutter: true, updateWhileAnimating: true, updateWhileInteracting: true });
  }
  if (base.kind === "pmtiles") {
    const url = new URL(base.url, location.href).href;
    const header = await new PMTiles(url).getHeader();
    if (header.tileType === VECTOR) return new VectorTileLayer({ source: new PMTilesVectorSource({ url }), style: new Style({ stroke: new Stroke({ color: colours.street, width: 1 }) }), declutter: true });
    return new TileLayer({ source: new PMTilesRasterSource({ url, tileSize: [256, 256] }) });
  }
  return null;
}

/** New colours for a layer that is drawn with ours. */
export function recolour(layer, base, colours) {
  if (layer && base.kind === "geojson") layer.setStyle(styleOf(colours));
}
