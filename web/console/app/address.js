// Keeps the address and the seat in step: what is looked at goes into it, a link and the browser's "back" are followed, the page never reloads.
import { effect } from "../vendor/signals.mjs";
import { read, written } from "../core/address.js";

const PRESSING = 2;
const SOON_MS = 100; // the address is dear to write, and nobody reads it while he steps from alert to alert

export class Address {
  /** `isPanel(name)`: of ui/panels.js. */
  constructor({ desk, isPanel }) {
    this.desk = desk;
    this.isPanel = isPanel;
    /** Whether the seat shows what the address says; until then nothing is written. */
    this.followed = false;
    this.due = false;
    /** An alert of a link that is looked up, or waits for the first list of alerts. */
    this.wanted = "";
    /** @type {import("../core/address.js").Place | null} what was written last */
    this.last = null;
    /** What is soon to stand in the place of the address that stands there now. @type {{text: string, over: string} | null} */
    this.pending = null;
    this.writing = 0;
    addEventListener("popstate", () => this.followed && this.follow());
    addEventListener("beforeunload", (event) => this.leaving(event));
    effect(() => this.look());
  }

  /** What the seat shows now. @returns {import("../core/address.js").Place} */
  place() {
    const { desk } = this;
    return { filter: desk.filter.value, alert: this.wanted || (desk.selectedId.value ?? ""), panel: desk.panel.value, subject: desk.subject.value };
  }

  look() {
    const { desk } = this;
    const here = Boolean(desk.seated.value);
    const place = this.place();
    const loaded = desk.loaded.value;
    if (!here) {
      this.followed = false;
      this.drop();
      return;
    }
    if (!this.followed) {
      if (!this.due) queueMicrotask(() => this.follow());
      this.due = true;
      return;
    }
    if (loaded && this.wanted) return queueMicrotask(() => this.lookUp());
    this.write(place);
  }

  /** Steps from alert to alert and letters typed are no places to come back to; everything else is. */
  write(place) {
    const { last } = this;
    const text = written(place);
    this.last = place;
    if (text === (this.pending?.text ?? location.hash.replace(/^#/, ""))) return;
    const small =
      !last || (place.panel === last.panel && place.subject === last.subject && isSame(place.filter, last.filter) && (place.alert === last.alert || (this.desk.stepping && last.alert !== "")));
    if (small) {
      this.pending = { text, over: this.pending?.over ?? location.hash };
      this.writing ||= setTimeout(() => this.settle(), SOON_MS);
    } else {
      this.settle();
      put("pushState", text);
    }
  }

  /** Puts in the place of the address what waits for it; not over one that somebody chose meanwhile and that is followed next. */
  settle() {
    if (this.pending?.over === location.hash) put("replaceState", this.pending.text);
    this.drop();
  }

  drop() {
    clearTimeout(this.writing);
    this.writing = 0;
    this.pending = null;
  }

  /** Shows what the address says. */
  follow() {
    const { desk } = this;
    this.due = false;
    if (!desk.seated.value) return;
    this.followed = true;
    this.drop(); // it was of another place
    const { ignored, ...place } = read(location.hash, this.isPanel);
    this.wanted = place.alert === (desk.selectedId.value ?? "") ? "" : place.alert;
    this.panelWanted = place.panel;
    desk.show(place);
    desk.unfollowed.value = ignored.length ? { ignored } : null;
    if (this.wanted && desk.loaded.value) this.lookUp();
  }

  async lookUp() {
    const id = this.wanted;
    if (!id) return;
    const panel = this.panelWanted;
    this.wanted = "";
    const why = await this.desk.lookAt(id, panel);
    if (why) this.desk.unfollowed.value = { ...this.desk.unfollowed.value, alert: id, why };
  }

  /** Whoever leaves the page while alarms wait silences this seat: the browser asks first. */
  leaving(event) {
    this.settle();
    const { counts, seated } = this.desk;
    if (!seated.value) return;
    for (let priority = 1; priority <= PRESSING; priority += 1) if (counts.value[priority].waiting) return event.preventDefault();
  }
}

/** @param {"pushState" | "replaceState"} how */
function put(how, text) {
  try {
    history[how](null, "", text ? `#${text}` : location.pathname + location.search);
  } catch {
    // a browser takes only so many a minute: the address lags, nothing else does
  }
}

/** Whether only the words differ. */
const isSame = (a, b) => JSON.stringify({ ...a, q: "" }) === JSON.stringify({ ...b, q: "" });
