// Relief 交接班: the open handover as this seat knows it, and the acts on it. Rows keep their place while they are being accepted.
import { signal } from "../vendor/signals.mjs";
import { monotonic } from "./clock.js";

const NEAR_MS = 1_000; // while its panel is open
const FAR_MS = 15_000;

const path = (id, act = "") => `/watch/handovers/${encodeURIComponent(id)}${act && `/${act}`}`;

export class Relief {
  constructor({ api, requests, steady = monotonic }) {
    this.api = api;
    this.requests = requests;
    this.steady = steady;
    /** The id of the open one, as the live feed says. */
    this.id = "";
    /** The open handover with what passes over, as last read. */
    this.draft = signal(/** @type {any} */ (null));
    /** Why it could not be read just now. */
    this.error = signal("");
    /** One that ended in front of this seat: completed or cancelled, until it was read. */
    this.ended = signal(/** @type {any} */ (null));
    /** @type {Map<string, number>} where each alarm stands among the rows: as first seen, what arrived since on top */
    this.places = new Map();
    /** @type {Set<string>} alarms that arrived after the list was first seen */
    this.arrived = new Set();
    this.asking = false;
    this.askAt = 0;
  }

  /** Takes the live feed's word of which handover is open; null: none. */
  take(id) {
    if ((id ?? "") === this.id) return;
    const before = this.id;
    this.forget();
    this.id = id ?? "";
    if (before && !id) this.findOut(before);
    this.askAt = 0;
  }

  forget() {
    this.id = "";
    this.draft.value = null;
    this.error.value = "";
    this.places.clear();
    this.arrived.clear();
  }

  /** To be called every second or so; `near`: whether somebody looks at it. */
  tick(near) {
    if (!this.id || this.asking) return;
    const now = this.steady();
    if (now >= this.askAt || (near && now >= this.askAt - FAR_MS + NEAR_MS)) this.read();
  }

  async read() {
    const { id } = this;
    this.asking = true;
    this.askAt = this.steady() + FAR_MS;
    const answer = await this.api.request("GET", path(id));
    this.asking = false;
    if (id !== this.id) return;
    this.error.value = answer.ok ? "" : answer.message;
    if (answer.ok) this.put(answer.data);
  }

  async findOut(id) {
    const answer = await this.api.request("GET", path(id));
    if (answer.ok && answer.data.state !== "open") this.ended.value = answer.data;
  }

  /** Takes a handover as an answer has it. */
  put(draft) {
    if (draft.state !== "open") return;
    this.id = draft.id;
    const first = !this.places.size;
    const top = Math.min(0, ...this.places.values());
    const fresh = draft.alerts.filter(({ id }) => !this.places.has(id));
    fresh.forEach(({ id }, i) => {
      this.places.set(id, first ? i : top - fresh.length + i);
      if (!first) this.arrived.add(id);
    });
    this.draft.value = { ...draft, alerts: [...draft.alerts].sort((a, b) => (this.places.get(a.id) ?? 0) - (this.places.get(b.id) ?? 0)) };
  }

  async send(name, to, body) {
    const result = await this.requests.send(name, to, body);
    if (result?.phase === "done" && result.data.alerts) this.put(result.data);
    else if (this.id) this.read(); // what became of it shows there
    return result;
  }

  begin(said) {
    return this.send("relief", "/watch/handovers", said);
  }

  /** 接收, by name. `name`: where the result stands. */
  accept(name, alerts) {
    return this.send(name, path(this.id, "accept"), { alerts });
  }

  note(notes) {
    return this.send("relief notes", path(this.id, "notes"), { notes });
  }

  complete() {
    return this.send("relief end", path(this.id, "complete"), {});
  }

  cancel() {
    return this.send("relief end", path(this.id, "cancel"), {});
  }
}
