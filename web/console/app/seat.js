// This seat 席位: what it counts, whether it sounds, who keeps watch at it, and leaving it; whoever cannot leave stays, shown and heard.
import { batch } from "../vendor/signals.mjs";
import { isOfUnit } from "../core/api.js";
import { t } from "../core/i18n.js";
import { Receipts } from "../core/receipts.js";
import { NO_FILTER } from "../core/search.js";
import { Looking } from "./looking.js";

export class Seat extends Looking {
  constructor() {
    super();
    /** @type {any} what the console is made of */
    this.api = this.watch = this.relief = this.sound = this.acts = this.feed = this.operator = this.clock = this.canary = this.kpis = this.feedStatus = this.counts = this.asides = this.flood = this.floodMeter = this.figures = null;
    /** @type {Set<string>} alerts this seat has not yet reported as shown with sound */
    this.unreported = new Set();
    /** What is wrong between us and 119. */
    this.receipts = new Receipts();
  }

  paint() {
    batch(() => {
      super.paint();
      this.tell();
    });
  }

  /** Puts what is counted on the screen: with each painting, and each second, for a page that is hidden paints nothing. */
  tell() {
    this.counts.value = this.alarms.counts();
    this.asides.value = this.alarms.asides();
    this.flood.value = this.floodMeter.read(this.clock.now());
    this.kpis.value = this.figures;
  }

  /** How many wait that sound, in the title: it is read while another page is looked at; each change of it is dear. */
  entitle() {
    const counts = this.alarms.counts();
    const waiting = counts[1].waiting + counts[2].waiting;
    const title = `${waiting ? `(${waiting}) ` : ""}望火楼 Firetower`;
    if (title !== document.title) document.title = title;
  }

  /** Whether 119 has taken what it was told, and whether alarms can get here at all; sounds by what this finds. */
  lookOut() {
    const now = this.clock.now();
    const { sounds, fresh } = this.receipts.look(this.alarms.at119.values(), now);
    this.sound.setUnreceipted(sounds, fresh);
    const kpis = this.feedStatus.value === "live" ? this.kpis.value : null;
    const away = kpis ? ["store", "broker"].filter((part) => kpis[part] !== undefined && kpis[part] !== "ok") : [];
    if (kpis && !away.includes("store") && this.canary.overdue()) away.push("canary");
    this.sound.setTroubles(away);
  }

  /** 话术, and whoever opens it is at it: the red band sounds here no more. */
  openScript() {
    const opens = super.openScript();
    if (opens) this.receipts.hear(/** @type {string} */ (this.selectedId.value));
    if (opens) this.lookOut();
    return opens;
  }

  /** Whoever cannot leave sees why beside the watch. */
  async signOut() {
    if (await this.watch.signOut()) {
      this.signedOut("");
      this.setFilter(NO_FILTER); // whoever comes next chooses for themselves
      history.replaceState(null, "", location.pathname + location.search);
    }
    else if (!isOfUnit(this.operator.value)) this.openPanel("watch");
  }

  /** Signs the same person in again, while the seat goes on showing and sounding. @returns {Promise<import("../core/api.js").Answer>} */
  async signInAgain(password) {
    const answer = await this.api.signIn(this.operator.value.username, password);
    if (!answer.ok) return answer;
    this.operator.value = answer.data;
    this.watch.expired.value = false;
    this.feed?.connect(); // as the seat of the session that acts
    this.acts.soon();
    return answer;
  }

  takeWatch(watch) {
    this.watch.take(watch);
    this.relief.take(watch.handover);
    this.sound.setAsked(Boolean(watch.presence));
  }

  /** 消音. */
  mute() {
    this.sound.toggleMute();
    const left = Math.ceil(this.sound.muteLeft() / 1_000);
    if (left) this.watch.muted(left);
  }

  /** Shows an alert by its id, open or long closed, and a panel about it. @returns {Promise<string>} why it cannot be shown, if so */
  async lookAt(id, panel = "") {
    const before = this.selectedId.value;
    let closed = /** @type {any} */ (null);
    if (!(this.alarms.open.has(id) || this.alarms.visible.has(id) || (id.startsWith("i-") && this.incidents.open.has(id.slice(2))))) {
      if (!/^[0-9]+$/.test(id)) return t("link.gone");
      const answer = await this.api.alert(id);
      if (this.selectedId.value !== before) return ""; // somebody chose another one meanwhile
      if (!answer.ok) return answer.status === 404 ? t("link.none") : answer.message;
      closed = answer.data;
    }
    batch(() => {
      if (closed) this.selectClosed(closed);
      else this.select(id);
      if (panel) this.panel.value = panel; // at once with its alert: half of a place is none to come back to
    });
    return "";
  }

  async checkSession() {
    const answer = await this.api.session();
    if (answer.status === 401 && this.operator.value) this.signedOut("expired");
  }

  /** Tells the server whether this seat hears alarms; when the feed opens, and whenever that changes. */
  reportSeat() {
    this.feed?.seat(this.sound.armed);
  }

  /** Tells the server which alerts a live seat with proven sound has seen. */
  reportShown() {
    if (!this.unreported.size || !this.sound.armed || !this.feed) return;
    const ids = [...this.unreported].filter((id) => this.alarms.open.has(id));
    if (!ids.length || this.feed.shown(ids)) this.unreported.clear();
  }

  async armSound() {
    const works = await this.sound.arm();
    if (works) this.reportShown();
    return works;
  }
}
