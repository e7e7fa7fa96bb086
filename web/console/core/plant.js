// What the city has: every device in columns for the map, fetched once and kept true by live frames; and the base map.
import { signal } from "../vendor/signals.mjs";
import { DeviceColumns } from "./devices.js";

const TIMEOUT_MS = 30_000;

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
  }

  /** The columns and the base map, fetched when they are first asked for; rejected where they cannot be had. */
  load() {
    this.loading ??= this.fetch().catch((error) => {
      this.loading = null;
      throw error;
    });
    return this.loading;
  }

  async fetch() {
    const answer = await fetch(`${this.api.base}/devices/snapshot`, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!answer.ok) throw new Error(`devices: status ${answer.status}`);
    this.columns = DeviceColumns.read(await answer.arrayBuffer());
    const base = await this.api.request("GET", "/map");
    if (!base.ok) throw new Error(base.message);
    this.base.value = base.data;
    return { columns: this.columns, base: base.data };
  }

  /** Takes the devices of a live frame. A device that is newer than the columns is shown when the page is opened anew. */
  take(devices) {
    if (!this.columns || !devices?.length) return;
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
    this.base.value = null;
  }
}
