// Outlines of the grids 网格 of the city's fire-safety management, with their names; those without a boundary on record are not on the map.
import { Feature, Fill, GeoJSON, Stroke, Style, Text, VectorLayer, VectorSource } from "../vendor/ol-console.mjs";

/** Metres a pixel: farther out a name would stand in its neighbour. */
export const NAMED_M = 30;

function styleOf(theme) {
  const outline = new Style({ stroke: new Stroke({ color: theme.area, width: 1.2, lineDash: [2, 5] }) });
  const name = new Style({ text: new Text({ offsetY: -18, font: "14px system-ui, 'Noto Sans CJK SC', sans-serif", fill: new Fill({ color: theme.label }), stroke: new Stroke({ color: theme.ground, width: 4 }), overflow: true }) });
  return (feature, resolution) => {
    if (resolution > NAMED_M) return outline;
    name.getText().setText(feature.get("name"));
    return [outline, name];
  };
}

/** `grids`: items of GET /api/v1/grids; `project`: degrees to the map's metres. */
export function gridLayer(grids, theme, project) {
  const read = new GeoJSON();
  const features = grids.filter(({ boundary }) => boundary).map(({ boundary, name, grid }) => new Feature({ geometry: read.readGeometry({ type: "Polygon", coordinates: [boundary.map(project)] }), name: name || grid }));
  return new VectorLayer({ source: new VectorSource({ features }), style: styleOf(theme), declutter: true, updateWhileAnimating: true, updateWhileInteracting: true });
}

export function recolourGrids(layer, theme) {
  layer.setStyle(styleOf(theme));
}
