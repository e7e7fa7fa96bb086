// The live feed: one WebSocket that says what changed, and knows at once when it does not.
import { signal } from "../vendor/signals.mjs";
import { monotonic } from "./clock.js";

const STALE_MS = 5_000; // no word for so long: what is on the screen may be old
const DEAD_MS = 15_000; // no word for so long: try a new connection
const OPENING_MS = 8_000;
const WATCH_MS = 250;
const PING_MS = 4_000;
const BACKOFF_MS = [500, 1_000, 2_000, 4_000, 8_000];
const RESYNC_MS = 60_000;
const SHOWN_AT_ONCE = 500;

/**
 * Status: connecting (before the first snapshot), live, stale (open but silent), lost (closed).
 * Handlers run in the message handler, never in an animation frame: a hidden tab must still count and sound.
 *   onSnapshot(alerts), onChanges(alerts), onAround({incidents, windows}, whole) before either, onDevices(devices), onProvisional(alarms, more), onWatch(watch), onKpis(kpis), onCanary(canary, serverMs),
 *   onStatus(status, before), onOpen(): it can be spoken to, onClosed(): why is not always said; the session may have ended.
 */
export class Feed {
  constructor({ clock, url, handlers }) {
    this.clock = clock;
    this.url = url;
    this.handlers = handlers;
    this.status = signal("connecting");
    this.attempt = signal(0);
    /** Server ms of the last word from the server; null before the first. */
    this.heardAt = signal(/** @type {number | null} */ (null));
    /** @type {number | null} */
    this.seq = null;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.heard = 0;
    this.ahead = 0;
    this.resyncedAt = -Infinity;
    /** @type {Map<number, number>} */
    this.pings = new Map();
    this.pingId = 0;
    this.running = false;
    this.retry = 0;
  }

  start() {
    this.running = true;
    this.watcher = setInterval(() => this.watch(), WATCH_MS);
    this.pinger = setInterval(() => this.ping(), PING_MS);
    this.onOnline = () => this.status.value === "lost" && this.connect();
    addEventListener("online", this.onOnline);
    this.connect();
  }

  stop() {
    this.running = false;
    clearInterval(this.watcher);
    clearInterval(this.pinger);
    clearTimeout(this.retry);
    removeEventListener("online", this.onOnline);
    this.drop();
  }

  connect() {
    clearTimeout(this.retry);
    this.drop();
    const socket = new WebSocket(this.url + (this.seq === null ? "" : `?after=${this.seq}`));
    this.socket = socket;
    this.openedAt = monotonic();
    this.opened = false;
    socket.onopen = () => {
      this.opened = true;
      this.heard = monotonic();
      this.ping();
      this.handlers.onOpen?.();
    };
    socket.onmessage = (event) => this.receive(event.data);
    socket.onclose = () => socket === this.socket && this.closed();
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    this.pings.clear();
    if (socket) socket.close();
  }

  closed() {
    this.drop();
    if (!this.running) return;
    this.attempt.value += 1;
    this.become("lost");
    this.handlers.onClosed();
    const longest = BACKOFF_MS[Math.min(this.attempt.value, BACKOFF_MS.length) - 1];
    this.retry = setTimeout(() => this.connect(), longest * (0.5 + Math.random() / 2));
  }

  become(status) {
    const before = this.status.value;
    if (before === status) return;
    this.status.value = status;
    this.handlers.onStatus(status, before);
  }

  watch() {
    if (!this.socket) return;
    if (!this.opened) {
      if (monotonic() - this.openedAt > OPENING_MS) this.closed();
      return;
    }
    const silent = monotonic() - this.heard;
    if (silent > DEAD_MS) this.closed();
    else if (silent > STALE_MS && this.status.value === "live") this.become("stale");
  }

  ping() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.pingId += 1;
    this.pings.set(this.pingId, monotonic());
    if (this.pings.size > 8) this.pings.delete(this.pings.keys().next().value);
    this.socket.send(JSON.stringify({ type: "ping", id: this.pingId }));
  }

  /** Says which alerts reached a live, sound-armed seat. @returns {boolean} whether it could be said */
  shown(ids) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    for (let i = 0; i < ids.length; i += SHOWN_AT_ONCE) {
      this.socket.send(JSON.stringify({ type: "shown", alerts: ids.slice(i, i + SHOWN_AT_ONCE), armed: true }));
    }
    return true;
  }

  /** Says whether this seat's sound works: only such a seat counts as an operator. */
  seat(armed) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type: "shown", alerts: [], armed }));
  }

  /** Says that somebody pressed a key or clicked here. @returns {boolean} whether it could be said */
  present() {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify({ type: "present" }));
    return true;
  }

  receive(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return this.resync(); // not the protocol: nothing after it can be trusted to be complete
    }
    this.heard = monotonic();
    const serverMs = Date.parse(message.t);
    if (Number.isFinite(serverMs)) {
      this.clock.glimpse(serverMs);
      if (message.type === "pong") this.pong(message.id, serverMs);
    }
    this.heardAt.value = this.clock.now();
    if (message.kpis) this.handlers.onKpis(message.kpis);
    if (message.watch) this.handlers.onWatch?.(message.watch);
    if (message.devices?.length) this.handlers.onDevices?.(message.devices);
    this.handlers.onCanary?.(message.canary, serverMs);
    if (message.type === "snapshot") {
      this.seq = message.seq;
      this.live();
      this.handlers.onAround?.(message, true);
      this.handlers.onSnapshot(message.alerts ?? []);
    } else if (message.type === "changes") {
      if (this.seq === null || message.seq < this.seq) return this.resync();
      this.seq = message.seq;
      this.live();
      this.handlers.onAround?.(message, false);
      this.handlers.onChanges(message.alerts ?? []);
    } else if (message.type === "heartbeat") {
      this.live(message.seq < 0);
      this.compare(message.seq);
    }
    // after the alerts: what was provisional may have become one of them
    if (message.provisional !== undefined) this.handlers.onProvisional?.(message.provisional, message.provisional_more ?? 0);
  }

  /** The first word after a gap ends it, once there is a list to be live, or the server itself has none (`unread`). */
  live(unread = false) {
    if (this.seq === null && !unread) return;
    this.attempt.value = 0;
    this.become("live");
  }

  /** A heartbeat ahead of us three times running: changes went missing on the way. */
  compare(seq) {
    if (typeof seq !== "number" || seq < 0 || this.seq === null || seq === this.seq) {
      this.ahead = 0;
      return;
    }
    this.ahead = this.ahead + 1;
    if (seq < this.seq || this.ahead >= 3) this.resync();
  }

  /** Connects again for a whole snapshot, at most once a minute. */
  resync() {
    if (monotonic() - this.resyncedAt < RESYNC_MS) return;
    this.resyncedAt = monotonic();
    this.ahead = 0;
    this.seq = null;
    this.connect();
  }

  pong(id, serverMs) {
    const sentAt = this.pings.get(id);
    if (sentAt === undefined) return;
    this.pings.delete(id);
    this.clock.sample(sentAt, monotonic(), serverMs);
  }
}
