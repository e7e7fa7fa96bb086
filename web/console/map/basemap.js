// What lies under the devices: the city's own lines, tiles, or a PMTiles file; without any, the plain ground.
import { GeoJSON, PMTiles, PMTilesRasterSource, PMTilesVectorSource, TileLayer, VectorLayer, VectorSource, VectorTileLayer, XYZ } from "../vendor/ol-console.mjs";
import { groundStyle } from "./groundstyle.js";

const VECTOR = 1; // PMTiles' number of vector tiles (MVT)
/** A file up to so many bytes is kept whole: with the connection lost, no ground stays blank. */
const WHOLE = 8 * 2 ** 20;
/** Ground that did not come is looked for again after so long, and after twice as long each time it does not. */
const AGAIN_MS = 10_000;
const AGAIN_MOST_MS = 160_000;

/** A PMTiles file in memory, as the reader of PMTiles asks for its parts. */
class KeptFile {
  constructor(url, bytes) {
    this.url = url;
    this.bytes = bytes;
  }

  getKey() {
    return this.url;
  }

  async getBytes(offset, length) {
    return { data: this.bytes.slice(offset, offset + length) };
  }
}

/** A file, or an error that says what its server said of it. */
async function fetched(url, method = "GET") {
  const answer = await fetch(url, { method, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`base map: status ${answer.status}`);
  return answer;
}

/** What the reader of PMTiles reads from: the file kept whole, or where parts of it are fetched. */
async function fileAt(url) {
  const bytes = Number((await fetched(url, "HEAD")).headers.get("content-length") ?? Infinity);
  return bytes <= WHOLE ? new KeptFile(url, await (await fetched(url)).arrayBuffer()) : url;
}

/**
 * The layer of a base map, null where there is none; a rejected promise says why it cannot be had.
 * `base`: answer of GET /api/v1/map.
 */
export async function baseLayer(base, theme) {
  if (base.kind === "tiles") return new TileLayer({ source: new XYZ({ url: base.url }), opacity: theme.pictures });
  if (base.kind === "geojson") {
    const features = new GeoJSON().readFeatures(await (await fetched(base.url)).json(), { featureProjection: "EPSG:3857" });
    return new VectorLayer({ source: new VectorSource({ features }), style: groundStyle(theme), declutter: true, updateWhileAnimating: true, updateWhileInteracting: true });
  }
  if (base.kind === "pmtiles") {
    const url = await fileAt(new URL(base.url, location.href).href);
    const header = await new PMTiles(url).getHeader().catch(() => {
      throw new Error("no whole PMTiles file");
    });
    if (header.tileType === VECTOR) return new VectorTileLayer({ source: new PMTilesVectorSource({ url }), style: groundStyle(theme), declutter: true });
    return new TileLayer({ source: new PMTilesRasterSource({ url, tileSize: [256, 256] }), opacity: theme.pictures });
  }
  return null;
}

/** New colours for a layer that is drawn with ours. */
export function recolour(layer, theme) {
  if (layer instanceof VectorLayer || layer instanceof VectorTileLayer) layer.setStyle(groundStyle(theme));
  else layer?.setOpacity(theme.pictures); // daylight pictures would blind a dark room
}

/**
 * Tells of tiles that did not come, once per load that ended: `onTrouble(true)` where most of them failed, false where they came.
 * What failed is asked for again once one of it comes: what is drawn already stays until then. @returns {() => void} ends it
 */
export function watchTiles(map, layer, base, onTrouble) {
  const source = layer.getSource();
  let [failed, came, wait, timer] = [0, 0, AGAIN_MS, 0];
  let missing = "";
  let turn = 0; // one look at a time: a picture that hangs for a minute is not looked for by every move of the map
  const again = async () => {
    const mine = turn;
    let there = true;
    await (base.kind === "tiles" ? picture(missing) : fetched(base.url, "HEAD")).catch(() => (there = false));
    if (mine !== turn) return;
    if (there) return source.refresh();
    wait = Math.min(wait * 2, AGAIN_MOST_MS);
    timer = setTimeout(again, wait);
  };
  const ended = () => {
    if (!failed && !came) return;
    onTrouble(failed > came);
    clearTimeout(timer);
    turn += 1;
    if (failed > came) timer = setTimeout(again, wait);
    else wait = AGAIN_MS;
    [failed, came] = [0, 0];
  };
  source.on("tileloaderror", ({ tile }) => {
    failed += 1;
    if (base.kind === "tiles") missing = source.getTileUrlFunction()(tile.getTileCoord(), 1, map.getView().getProjection());
  });
  source.on("tileloadend", () => (came += 1));
  map.on("loadend", ended);
  return () => {
    clearTimeout(timer);
    turn += 1;
  };
}

/** Resolved once a picture has come. */
const picture = (url) =>
  new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = resolve;
    image.onerror = reject;
    image.src = url;
  });
