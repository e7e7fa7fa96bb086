// What the city has, for the map: every device in columns, fetched once and kept true by live frames; units, stations, grids; the base map.
import { signal } from "../vendor/signals.mjs";
import { DeviceColumns } from "./devices.js";

const TIMEOUT_MS = 30_000;
const AGAIN_MS = 5_000;

export class Plant {
  constructor({ api }) {
    this.api = api;
    /** @type {DeviceColumns | null} */
    this.columns = null;
    /** Rises when a status has changed. */
    this.revision = signal(0);
    this.base = signal(/** @type {any} */ (null));
    /** @type {Promise<any> | null} */
    this.loading = null;
    /** @type {any[] | null} what live frames say while the statuses are read again */
    this.meanwhile = null;
    /** Units, stations and grids, `{places, grids, error}`: `error` says what of it could not be had. */
    this.places = signal(/** @type {any} */ (null));
  }

  /** The columns and the base map, fetched when they are first asked for; rejected where they cannot be had. */
  load() {
    this.loading ??= this.fetch().catch((error) => {
      this.loading = null;
      throw error;
    });
    return this.loading;
  }

  async readColumns() {
    const answer = await fetch(`${this.api.base}/devices/snapshot`, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) throw new Error(`devices: status ${answer.status}`);
    return DeviceColumns.read(await answer.arrayBuffer());
  }

  /** After a cut: statuses that changed meanwhile were told to nobody here, for they have no number to resume from. */
  async again() {
    const { columns } = this;
    if (!columns || this.meanwhile) return;
    const meanwhile = (this.meanwhile = []);
    const read = await this.readColumns().catch(() => null);
    if (this.meanwhile === meanwhile) this.meanwhile = null;
    if (this.columns !== columns) return; // signed out meanwhile
    if (!read) return void setTimeout(() => this.again(), AGAIN_MS);
    for (let number = 0; number < read.count; number += 1) if (read.has(number)) columns.setStatus(number, read.statusOf(number));
    this.take(meanwhile); // newer than what was read, or the same
    this.revision.value += 1;
  }

  async fetch() {
    this.columns = await this.readColumns();
    const base = await this.api.request("GET", "/map");
    if (!base.ok) throw new Error(base.message);
    this.base.value = base.data;
    return { columns: this.columns, base: base.data };
  }

  /** Reads units, stations and grids anew: they change seldom, and the map works on without them. */
  async lookForPlaces() {
    const [places, grids] = await Promise.all([this.api.request("GET", "/map/places"), this.grids()]);
    if (!this.columns) return; // signed out meanwhile
    const old = this.places.value;
    this.places.value = {
      places: places.ok ? places.data : old?.places ?? null,
      grids: grids.ok ? grids.data : old?.grids ?? [],
      error: places.ok ? (grids.ok ? "" : grids.message) : places.message,
    };
  }

  /** All grids, page by page. */
  async grids() {
    const items = [];
    for (let cursor = ""; ; ) {
      const answer = await this.api.request("GET", `/grids?limit=1000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      if (!answer.ok) return answer;
      items.push(...answer.data.items);
      cursor = answer.data.next_cursor ?? "";
      if (!cursor) return { ...answer, data: items };
    }
  }

  station(code) {
    return this.api.request("GET", `/stations/${encodeURIComponent(code)}`);
  }

  /** Takes the devices of a live frame. A device that is newer than the columns is shown when the page is opened anew. */
  take(devices) {
    if (!this.columns || !devices?.length) return;
    this.meanwhile?.push(...devices);
    for (const { number, status } of devices) this.columns.setStatus(number, status);
    this.revision.value += 1;
  }

  /** The file of a device by its slot; null where there is none any more. */
  async device(number) {
    const answer = await this.api.request("GET", `/devices?number=${number}`);
    return answer.ok ? answer.data.items[0] ?? null : null;
  }

  /** Whoever signs in next looks anew. */
  forget() {
    this.columns = null;
    this.loading = null;
    this.meanwhile = null;
    this.base.value = null;
    this.places.value = null;
  }
}
