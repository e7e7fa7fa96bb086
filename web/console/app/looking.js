// What this seat looks at: the filter, the rows, the selection, the panel or form that stands open; painted once a frame.
import { batch, computed, signal } from "../vendor/signals.mjs";
import { IncidentStore, neighbour, rowsOf, sectionsOf } from "../core/incidents.js";
import { demands, isFire, isForwardable } from "../core/marks.js";
import { Drafts, formOf, offers } from "../core/offers.js";
import { NO_FILTER, filterAlerts, narrows } from "../core/search.js";

const EMPTY_VIEW = { queue: /** @type {any[]} */ ([]), shown: [], firesOutside: [], waitingOutside: 0, held: /** @type {any[]} */ ([]), incidents: new Map(), sections: sectionsOf([]) };
const NO_INCIDENTS = new Map();
const DEAR_MS = 24; // a painting that takes longer takes frames from the hand
const DEAREST_MS = 250;
const PACE_MS = 100; // what keeps coming is painted at this pace, for nobody reads faster

export class Looking {
  constructor() {
    /** @type {any} */
    this.alarms = null;
    this.incidents = new IncidentStore();
    /** Which panel stands beside the queue instead of the detail: held, board, windows, report, closed, or "". */
    this.panel = signal("");
    /** The unit, or device of a unit, whose file is open. */
    this.subject = signal(/** @type {{unit: string, device: string} | null} */ (null));
    /** The act whose form is open: `alert id + verb`. */
    this.form = signal("");
    /** Incidents whose members are all in sight. */
    this.expanded = signal(/** @type {Set<string>} */ (new Set()));
    this.drafts = new Drafts();
    /** The map in sight (map/citymap.js), null while there is none. */
    this.cityMap = signal(/** @type {any} */ (null));
    this.painting = false;
    this.resting = 0;
    /** Whether a fire waits for the next painting, and whether one did for the last. */
    this.pressing = this.pressed = false;
    /** Ms the last painting took, and when it was over. */
    this.cost = 0;
    this.rested = -Infinity;

    /** What narrows the queue; core/search.js. */
    this.filter = signal(NO_FILTER);
    this.filtering = computed(() => narrows(this.filter.value));
    /** Whether the selection moves by steps: no step is a place to come back to. */
    this.stepping = false;
    /** What of a link could not be followed, null: nothing. */
    this.unfollowed = signal(/** @type {{ignored?: string[], alert?: string, why?: string} | null} */ (null));
    /** The alert that acknowledging from a headline led to, until another is selected. */
    this.chosen = signal("");
    this.selectedId = signal(/** @type {string | null} */ (null));
    /** The selected alert as it left the queue: what became of it stays readable. */
    this.departed = signal(/** @type {any} */ (null));
    /** What the queue shows; replaced in an animation frame. */
    this.view = signal(EMPTY_VIEW);
    /** The queue, and what is held after it. */
    this.alerts = computed(() => {
      const { queue, held } = this.view.value;
      return held.length ? [...queue, ...held] : queue;
    });
    /** The rows whatever is selected, and what has one. */
    this.listed = computed(() => {
      const rows = this.rowsWith(null);
      return { rows, ids: new Set(rows.map(({ id }) => id)) };
    });
    /** They are other ones only where the selection has a row of its own: a step from row to row leaves three thousand as they are. */
    this.rows = computed(() => {
      const id = this.selectedId.value;
      if (id !== null && this.expanded.value.size) return this.rowsWith(id); // whether a group can be folded hangs on it, too
      const { rows, ids } = this.listed.value;
      return id === null || ids.has(id) ? rows : this.rowsWith(id);
    });
    this.selected = computed(() => {
      const id = this.selectedId.value;
      if (!id) return null;
      const { departed } = this;
      const known = this.view.value && this.alarms?.get(id); // looked up again with each painting
      return known ?? (departed.value?.id === id ? departed.value : null);
    });
  }

  /** While a filter is on, every alert it finds is a row: who searches wants to see. */
  rowsWith(selectedId) {
    const { shown, sections, incidents } = this.view.value;
    const told = this.filtering.value ? { sections } : { sections, groups: this.alarms?.groups };
    return rowsOf(shown, this.filtering.value ? NO_INCIDENTS : incidents, this.expanded.value, selectedId, told);
  }

  /** At sign-out nothing of it stays. */
  lookAway() {
    this.drafts = new Drafts();
    this.selectedId.value = null;
    this.panel.value = "";
    this.subject.value = null;
    this.form.value = "";
    this.expanded.value = new Set();
    this.view.value = EMPTY_VIEW;
  }

  /** Opens a panel in the place of the detail. */
  openPanel(name) {
    this.panel.value = name;
  }

  /** 设备户籍. */
  openDevice(unit, device) {
    batch(() => {
      this.subject.value = { unit, device };
      this.panel.value = "device";
    });
  }

  /** 单位户籍. */
  openUnit(unit) {
    batch(() => {
      this.subject.value = { unit, device: "" };
      this.panel.value = "unit";
    });
  }

  /** 话术: what to say to 119 about the selected alert. @returns {boolean} whether 119 is called about such an alert at all */
  openScript() {
    const alert = this.selected.value;
    if (!alert || !isForwardable(alert)) return false;
    this.panel.value = "script";
    return true;
  }

  /** The map goes back to where it was before an alarm was looked at, or shows the whole city. */
  mapBack() {
    const { value } = this.cityMap;
    if (value && !value.back()) value.whole();
  }

  /**
   * Paints in the next frame; what keeps coming, at a pace. In a storm, when painting takes long, most of the time is left to the hand:
   * then it waits three times as long as the last one took. A fire (`urgent`) waits for nothing but the painting of the fire before it,
   * what somebody did here himself (`own`) for nothing.
   */
  requestPaint(urgent = false, own = false) {
    if (this.painting) return;
    this.pressing ||= urgent; // what comes after a fire does not put it off again
    const dear = this.cost > DEAR_MS ? this.cost : 0;
    const rest = this.pressing ? (this.pressed ? dear : 0) : Math.max(3 * dear, PACE_MS);
    const wait = own ? 0 : this.rested + rest - performance.now();
    clearTimeout(this.resting);
    this.resting = 0;
    if (wait > 0) {
      this.resting = setTimeout(() => {
        this.resting = 0;
        this.paintNextFrame();
      }, wait);
    } else this.paintNextFrame();
  }

  paintNextFrame() {
    this.painting = true;
    this.pressed = this.pressing;
    this.pressing = false;
    requestAnimationFrame(() => {
      this.painting = false;
      const begun = performance.now();
      this.paint();
      // after the frame: what it drew is counted, too
      setTimeout(() => {
        this.rested = performance.now();
        this.cost = Math.min(DEAREST_MS, this.rested - begun);
      });
    });
  }

  paint() {
    const queue = this.alarms.sorted();
    const held = this.alarms.held();
    const found = filterAlerts(queue, this.filter.value, this.operator?.value?.username);
    const sections = found.shown === queue ? this.alarms.counts() : sectionsOf(found.shown);
    this.view.value = { queue, held, incidents: this.incidents.open, sections, ...found };
  }

  /** @param {Partial<import("../core/search.js").Filter>} part */
  setFilter(part) {
    this.filter.value = { ...this.filter.value, ...part };
    this.paint();
  }

  /** Shows what an address says; another alert than the selected one is looked up by whoever asks. */
  show({ filter, alert, panel, subject }) {
    batch(() => {
      if (JSON.stringify(filter) !== JSON.stringify(this.filter.value)) this.setFilter(filter);
      if (!alert && this.selectedId.value) this.select(null);
      if (subject) this.subject.value = subject;
      if (alert && alert !== this.selectedId.value) return;
      this.panel.value = panel;
    });
  }

  /** The detail of what is selected takes the place of a panel; what was written there is kept. */
  select(id) {
    batch(() => {
      this.chosen.value = "";
      if (id !== this.selectedId.value) this.form.value = ""; // else coming back would take the focus from the queue
      this.selectedId.value = id;
      this.panel.value = "";
    });
  }

  /** An alert that is not open any more. */
  selectClosed(alert) {
    this.departed.value = alert;
    this.select(alert.id);
  }

  /** Moves the selection by id, in the order now on the screen. */
  move(step) {
    if (this.painting) this.paint(); // a key pressed before the next frame means what has arrived, not what was painted
    const next = neighbour(this.rows.value, this.selectedId.value, this.selected.value, step);
    if (next) this.step(next.id);
  }

  step(id) {
    this.stepping = true;
    this.select(id);
    this.stepping = false;
  }

  /** The selected alarm is in the store by now, under this id: what stands open about it, the script above all, stays open. */
  becomes(id) {
    batch(() => {
      const panel = this.panel.value;
      this.step(id);
      this.panel.value = panel;
    });
  }

  /** Shows or folds away the members of the selected incident, or of the selected alert's. */
  toggleGroup() {
    const id = this.selectedIncident()?.id ?? this.selected.value?.incident_id;
    if (id && this.incidents.open.has(id)) this.toggle(id);
  }

  toggle(id) {
    const expanded = new Set([...this.expanded.value].filter((each) => this.incidents.open.has(each)));
    if (!expanded.delete(id)) expanded.add(id);
    this.expanded.value = expanded;
  }

  /** The incident whose headline is selected. */
  selectedIncident() {
    const id = this.selectedId.value;
    return id?.startsWith("i-") ? (this.view.value.incidents.get(id.slice(2)) ?? null) : null;
  }

  /** The first fire of an incident that waits, or else the first alert that does. */
  firstWaiting(incident) {
    const waiting = this.view.value.queue.filter((alert) => alert.incident_id === incident.id && demands(alert));
    return waiting.find(isFire) ?? waiting[0] ?? null;
  }

  /** An act is for an alert that was in sight when the key was pressed: a headline only leads to one. */
  chooseWaiting(incident) {
    const alert = this.firstWaiting(incident);
    if (!alert) return;
    this.select(alert.id);
    this.chosen.value = alert.id;
  }

  /** Opens the form of an act on the selected alert, if that act is one for it. */
  openForm(verb) {
    const alert = this.selected.value;
    if (!alert || !offers(alert, verb)) return;
    batch(() => {
      this.panel.value = "";
      this.form.value = formOf(alert, verb);
    });
  }
}
