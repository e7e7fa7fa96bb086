// The console put together: feed → alarms → counts and sound in the message handler, painting in an animation frame.
import { batch, computed, effect, signal } from "../vendor/signals.mjs";
import { Acts } from "../core/acts.js";
import { AlarmStore } from "../core/alarms.js";
import { Api, isOfUnit } from "../core/api.js";
import { Canary } from "../core/canary.js";
import { ServerClock } from "../core/clock.js";
import { Dossier } from "../core/dossier.js";
import { Feed } from "../core/feed.js";
import { FloodMeter } from "../core/floods.js";
import { language, titleOf, word } from "../core/i18n.js";
import { isTesting } from "../core/marks.js";
import { Plant } from "../core/plant.js";
import { isProvisional, keyOfId } from "../core/provisional.js";
import { Relief } from "../core/relief.js";
import { Requests } from "../core/requests.js";
import { Sound } from "../core/sound.js";
import { WaitingActs } from "../core/waiting.js";
import { Tally } from "../core/tally.js";
import { Watch } from "../core/watch.js";
import { WindowStore } from "../core/windows.js";
import { setZone } from "../core/zone.js";
import { Seat } from "./seat.js";
import { isWall } from "./settings.js";

const TICK_MS = 1_000;
const BOOT_RETRY_MS = 3_000;
const BLINK_MS = 600; // 0.83 Hz: under one flash a second

const PARTS = ["store", "broker", "command_centre"];
const NOTHING_ASIDE = new Tally().asides;

export class Console extends Seat {
  constructor({ settings }) {
    super();
    this.settings = settings;
    this.clock = new ServerClock();
    this.canary = new Canary();
    this.alarms = this.noAlarms();
    this.floodMeter = new FloodMeter();
    this.sound = new Sound();
    this.api = new Api({ onSignedOut: () => this.signedOut("expired"), onExpired: () => (this.watch.expired.value = true) });
    this.waiting = new WaitingActs({ clock: this.clock });
    this.acts = new Acts({
      api: this.api,
      waiting: this.waiting,
      clock: this.clock,
      storeOk: () => this.kpis.value?.store === "ok",
      mayWrite: () => this.feed?.status.value === "live",
      operator: () => this.operator.value?.username,
      onAlert: (alert) => this.take(this.alarms.merge([alert])),
    });

    this.requests = new Requests({ api: this.api, mayWrite: () => this.feed?.status.value === "live" });
    this.watch = new Watch({ api: this.api, requests: this.requests, clock: this.clock, present: () => this.feed?.present() ?? false, operator: () => this.operator.value });
    this.relief = new Relief({ api: this.api, requests: this.requests });
    this.windows = new WindowStore();
    this.plant = new Plant({ api: this.api });
    this.dossier = new Dossier({ api: this.api });
    /** Windows that are not over; replaced by each change. */
    this.announced = signal(/** @type {any[]} */ ([]));
    /** Open alerts out of the queue by hold, and those of announced tests. */
    this.asides = signal(NOTHING_ASIDE);

    /** undefined: not known yet · null: signed out · otherwise who is signed in */
    this.operator = signal(/** @type {any} */ (undefined));
    /** Whether somebody of the centre is signed in. */
    this.seated = computed(() => Boolean(this.operator.value) && !isOfUnit(this.operator.value));
    this.signedOutWhy = signal("");
    this.feed = /** @type {Feed | null} */ (null);
    this.feedStatus = signal("connecting");
    this.kpis = signal(/** @type {any} */ (null));
    /** The newest of them, for the next painting. */
    this.figures = /** @type {any} */ (null);
    this.counts = signal(this.alarms.counts());
    this.flood = signal(/** @type {ReturnType<FloodMeter["read"]>} */ (null));
    this.loaded = signal(false);
    /** Provisional alarms: how many are listed and how many more there are. */
    this.provisional = signal({ listed: 0, more: 0 });
    /** What changed while the connection was lost. */
    this.missed = signal(/** @type {any} */ (null));
    /** Server ms of the last good word before the present loss. */
    this.lostAt = /** @type {number | null} */ (null);
    this.announcement = signal("");
    /** By rule, what it advises to do: known of the rules of the alerts that were looked at. */
    this.advice = signal(/** @type {Map<string, any>} */ (new Map()));

    this.now = signal(this.clock.now());
    this.sound.state.subscribe(() => this.reportSeat());
    effect(() => this.lookAround());
  }

  /** Finds out who is signed in and goes live, or asks to sign in. */
  async boot() {
    setInterval(() => this.tick(), TICK_MS);
    setInterval(() => this.blink(), BLINK_MS);
    await this.askSession();
  }

  /** A server or store that is away is asked again: the session may well be good. */
  async askSession() {
    const answer = await this.api.session();
    if (this.operator.value) return;
    if (answer.ok) this.signedIn(answer.data);
    else if (answer.status === 401) this.signedOut("");
    else {
      this.signedOut("unreachable");
      setTimeout(() => this.askSession(), BOOT_RETRY_MS);
    }
  }

  noAlarms() {
    return new AlarmStore({ silenced: (alert) => this.acts?.silences(alert) ?? false, silencing: () => this.waiting?.entries.value });
  }

  signedIn(operator) {
    this.operator.value = operator;
    this.signedOutWhy.value = "";
    if (isOfUnit(operator)) return; // it has no seat: the feed is the centre's
    setZone(operator.timezone);
    this.acts.enter(operator.username);
    const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/live`;
    this.sound.start();
    this.feed = new Feed({
      clock: this.clock,
      url,
      handlers: {
        onAround: (around, whole) => this.takeAround(around, whole),
        onSnapshot: (alerts) => this.take(this.alarms.replace(alerts), "snapshot"),
        onChanges: (alerts) => this.take(this.alarms.merge(alerts), "changes"),
        onProvisional: (list, more) => this.takeProvisional(list, more),
        onKpis: (kpis) => this.takeKpis(kpis),
        onWatch: (watch) => this.takeWatch(watch),
        onDevices: (devices) => this.plant.take(devices),
        onCanary: (canary, serverMs) => this.canary.take(canary, serverMs),
        onStatus: (status, before) => this.statusChanged(status, before),
        onOpen: () => this.reportSeat(),
        onClosed: () => this.checkSession(),
      },
    });
    this.feedStatus.value = "connecting";
    this.feed.start();
  }

  signedOut(why) {
    this.feed?.stop();
    this.feed = null;
    this.sound.stop();
    this.acts.leave();
    this.canary = new Canary();
    this.alarms = this.noAlarms();
    this.requests.leave();
    this.plant.forget();
    this.watch.leave();
    this.relief.forget();
    this.relief.ended.value = null;
    this.dossier.forget();
    this.receipts.forget();
    for (const store of [this.incidents, this.windows]) store.replace([]);
    batch(() => {
      this.operator.value = null;
      this.signedOutWhy.value = why;
      this.loaded.value = false;
      this.provisional.value = { listed: 0, more: 0 };
      this.missed.value = null;
      this.lostAt = null;
      this.lookAway();
      this.announced.value = [];
      this.asides.value = NOTHING_ASIDE;
      this.counts.value = this.alarms.counts();
    });
    document.title = "望火楼 Firetower";
  }

  statusChanged(status, before) {
    this.feedStatus.value = status;
    const broken = status === "lost" || status === "stale";
    if (broken && before !== "lost" && before !== "stale") {
      this.lostAt = this.feed?.heardAt.value ?? this.clock.now();
      if (this.loaded.value) this.missed.value = { since: this.lostAt, until: null, added: 0, changed: 0, removed: 0 };
    }
    if (status === "live" && this.missed.value && !this.missed.value.until) {
      this.missed.value = { ...this.missed.value, until: this.clock.now() };
    }
    if (status === "live" && before === "lost") this.plant.again();
    this.sound.setLost(broken);
  }

  /** Figures go on the screen with what is listed; that a part of the service went or came back is told at once. */
  takeKpis(kpis) {
    const known = this.kpis.value;
    this.figures = kpis;
    if (!known || PARTS.some((part) => kpis[part] !== known[part])) this.kpis.value = kpis;
    this.requestPaint();
    this.lookOut();
    if (kpis.store === "ok" && known?.store !== "ok") this.acts.soon(); // what waits is not kept waiting for its next turn
  }

  /** Incidents and windows of a frame. */
  takeAround({ incidents, windows }, whole) {
    if (whole) this.incidents.replace(incidents ?? []);
    else if (incidents?.length) this.incidents.merge(incidents);
    if (whole) this.windows.replace(windows ?? []);
    else if (windows?.length) this.windows.merge(windows);
    if (whole || windows?.length) this.announced.value = this.windows.at(this.clock.now());
    this.requestPaint();
  }

  takeProvisional(list, more) {
    this.provisional.value = { listed: list.length, more };
    this.take(this.alarms.setProvisional(list), "provisional");
  }

  /** Carries out the acknowledgements of provisional alarms that are stored by now. */
  settleActs() {
    if (this.loaded.value && this.feedStatus.value === "live") this.acts.settle(this.alarms, this.kpis.value?.store === "ok");
  }

  /** A provisional alarm that was selected is now its stored alert. */
  followSelected() {
    const id = this.selectedId.value ?? "";
    const stored = this.alarms.byKey.get(keyOfId(id));
    if (stored && !this.alarms.visible.has(id)) this.becomes(stored.id);
  }

  /**
   * Takes a change of the alarms: flood, sound and shown at once, paint later.
   * @param {import("../core/alarms.js").Change} change
   * @param {"snapshot" | "changes" | "provisional" | "answer"} source
   */
  take(change, source = "answer") {
    const missed = this.missed.value;
    const first = !this.loaded.value;
    batch(() => {
      this.loaded.value ||= source === "snapshot";
      if ((source === "snapshot" || source === "changes") && missed?.until && this.clock.now() - missed.until < 1_500) {
        this.missed.value = {
          ...missed,
          added: missed.added + change.added.length,
          changed: missed.changed + change.changed.length,
          removed: missed.removed + change.removed.length,
        };
      }
      this.floodMeter.note(change.added.filter((alert) => !isProvisional(alert))); // counted once, when they are stored
    });
    for (const alert of change.removed) if (alert.id === this.selectedId.value) this.departed.value = alert;
    if (!isWall()) for (const alert of change.added) if (alert.shown_at === null) this.unreported.add(alert.id);
    for (const alert of change.removed) this.unreported.delete(alert.id);
    this.followSelected();
    for (const alert of change.roused) {
      this.acts.forget(alert.id, "acknowledge");
      this.acts.roused(alert);
    }
    this.setDemand();
    this.lookOut();
    for (const alert of change.roused) this.sound.rouse(alert.priority, alert.class === "fire", isTesting(alert));
    this.reportShown();
    const worst = change.roused.reduce((a, b) => (a && a.priority <= b.priority ? a : b), /** @type {any} */ (null));
    if (worst && worst.priority <= 2 && !first) this.announcement.value = `${isTesting(worst) ? `${word("flag", "in_test")} ` : ""}${titleOf(worst)} ${worst.unit_name ?? worst.unit ?? ""} ${worst.place ?? ""}`;
    if (!document.title.startsWith("(")) this.entitle(); // the first is told at once, the others each second
    this.requestPaint(worst?.priority === 1, source === "answer");
    this.settleActs();
  }

  /** Reads one alert again. */
  async refresh(id) {
    const answer = await this.api.alert(id);
    if (!answer.ok) return;
    const { advice, ...alert } = answer.data;
    this.advice.value = new Map(this.advice.value).set(alert.rule, advice);
    this.take(this.alarms.merge([alert]));
  }

  /** Has what lies around the selected alert read, and read again when the alert changes. What was read stays while the connection is lost. */
  lookAround() {
    const alert = this.selected.value;
    if (this.feedStatus.value !== "live" || !alert || isProvisional(alert)) return;
    this.dossier.look(alert.id, [alert.version, alert.escalation, alert.handover?.state, alert.handover?.tries, alert.handover?.unreceived].join());
  }

  /** Whether 119 is told through its interface 转警; while that is not known it is called. */
  get handsOver() {
    return this.kpis.value?.command_centre === true;
  }

  /** 受理 the selected alert. The selection stays where it is; from a headline it goes to an alert first, and no further. */
  async acknowledge() {
    const incident = this.selectedIncident();
    if (incident) return this.chooseWaiting(incident);
    this.chosen.value = "";
    const id = this.selectedId.value;
    const alert = id && (this.alarms.get(id) ?? this.selected.value);
    if (!alert) return;
    await this.acts.acknowledge(alert);
    this.setDemand(); // one that waits for the store is silent here from now on
  }

  withdraw(key) {
    this.acts.withdraw(key);
    this.setDemand();
  }

  setDemand() {
    this.sound.setDemand(this.alarms.demand(), this.alarms.demand(true));
  }

  tick() {
    if (this.painting) this.alarms.sorted(); // a hidden page paints nothing, and must not gather what it will
    if (this.operator.value) {
      this.settleActs();
      this.lookOut();
      this.acts.tick();
      this.watch.tick();
      if (this.feedStatus.value === "live") {
        this.dossier.tick();
        this.relief.tick(this.panel.value === "watch");
      }
    }
    batch(() => {
      this.now.value = this.clock.now();
      const announced = this.windows.at(this.now.value);
      if (announced.length || this.announced.value.length) this.announced.value = announced;
      this.tell();
      this.entitle();
    });
  }

  /** All symbols flash together, from one timer: a frozen page shows itself. */
  blink() {
    const root = document.documentElement;
    root.dataset.blink = root.dataset.blink === "off" ? "on" : "off";
  }

  setLanguage(name) {
    language.value = name;
    document.documentElement.lang = name;
    this.settings.save("language", name);
  }
}
