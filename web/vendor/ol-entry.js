// What the console's map uses of OpenLayers, bundled into one file by vendor.mjs; the rest of the library stays out.
export { default as Map } from "ol/Map.js";
export { default as View } from "ol/View.js";
export { default as Feature } from "ol/Feature.js";
export { default as Layer } from "ol/layer/Layer.js";
export { default as TileLayer } from "ol/layer/Tile.js";
export { default as VectorLayer } from "ol/layer/Vector.js";
export { default as VectorTileLayer } from "ol/layer/VectorTile.js";
export { default as VectorSource } from "ol/source/Vector.js";
export { default as XYZ } from "ol/source/XYZ.js";
export { default as GeoJSON } from "ol/format/GeoJSON.js";
export { default as Fill } from "ol/style/Fill.js";
export { default as Stroke } from "ol/style/Stroke.js";
export { default as Style } from "ol/style/Style.js";
export { default as Text } from "ol/style/Text.js";
export { fromLonLat, toLonLat } from "ol/proj.js";
export { PMTilesRasterSource, PMTilesVectorSource } from "ol-pmtiles";
export { defaults as defaultInteractions } from "ol/interaction/defaults.js";
export { PMTiles } from "pmtiles";
