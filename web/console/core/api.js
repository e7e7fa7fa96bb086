// REST calls: one answer shape for every outcome, one Idempotency-Key per operator action.
import { refusalOf } from "./i18n.js";

const TIMEOUT_MS = 10_000;

/** 128 random bits; crypto.randomUUID is missing on a page of the local network without TLS. */
export function actionKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether a session is of a networked unit's account, which has no seat at the centre. */
export const isOfUnit = (session) => session.role === "unit";

/**
 * @typedef {{ok: true, status: number, data: any}
 *   | {ok: false, status: number, code: string, message: string, english: string, details: any}} Answer
 * `message`: in the operator's language. `english`: the server's own words.
 * `status` 0: no answer came, so the server may or may not have done it.
 */
export class Api {
  constructor({ base = "/api/v1", onSignedOut = () => {}, onExpired = () => {} } = {}) {
    this.base = base;
    this.onSignedOut = onSignedOut;
    this.onExpired = onExpired;
  }

  /** `file`: what is sent as it is instead of JSON. @returns {Promise<Answer>} never rejects */
  async request(method, path, { body, file, key, quiet = false, patienceMs = TIMEOUT_MS } = /** @type {any} */ ({})) {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (file) headers["Content-Type"] = file.type;
    if (key) headers["Idempotency-Key"] = key;
    try {
      const answer = await fetch(this.base + path, {
        method,
        headers,
        body: body === undefined ? file : JSON.stringify(body),
        credentials: "same-origin",
        cache: "no-store",
        signal: AbortSignal.timeout(patienceMs),
      });
      const text = await answer.text();
      const data = text ? JSON.parse(text) : null;
      if (answer.ok) return { ok: true, status: answer.status, data };
      const error = data?.error ?? {};
      if (error.code === "session_expired") this.onExpired(); // it shows and sounds on, and acts no more
      else if (answer.status === 401 && !quiet) this.onSignedOut();
      return {
        ok: false,
        status: answer.status,
        code: error.code ?? `http_${answer.status}`,
        message: refusalOf({ ...error, code: error.code ?? `http_${answer.status}`, message: error.message ?? answer.statusText }),
        english: error.message ?? answer.statusText,
        details: error.details ?? null,
      };
    } catch (error) {
      return { ok: false, status: 0, code: "no_answer", message: refusalOf({ code: method === "GET" ? "unread" : "no_answer", message: String(error) }), english: String(error), details: null };
    }
  }

  session() {
    return this.request("GET", "/session", { quiet: true });
  }

  signIn(username, password) {
    return this.request("POST", "/session", { body: { username, password }, quiet: true });
  }

  signOut() {
    return this.request("DELETE", "/session", { quiet: true });
  }

  /** What stands at a path; `query`: what is asked for, without what is empty. */
  get(path, query = {}) {
    const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== null && value !== undefined).map(([name, value]) => [name, String(value)]));
    return this.request("GET", `${path}${asked.size ? `?${asked}` : ""}`);
  }

  history(id) {
    return this.request("GET", `/alerts/${encodeURIComponent(id)}/history`);
  }

  alert(id) {
    return this.request("GET", `/alerts/${encodeURIComponent(id)}`);
  }

  /** What lies around one alert: `part` is contacts, calls, letters, near, plan, cameras, snapshots or handover. */
  around(id, part) {
    return this.request("GET", `/alerts/${encodeURIComponent(id)}/${part}`);
  }

  /** What to say to 119 on the telephone; `lang` zh or en. */
  script(id, lang) {
    return this.request("GET", `/alerts/${encodeURIComponent(id)}/script?lang=${lang}`);
  }

  /** Where the incident record 警情处置单 is; `format` html or pdf. */
  recordUrl(id, format, lang) {
    return `${this.base}/alerts/${encodeURIComponent(id)}/record?format=${format}&lang=${lang}`;
  }

  unit(code) {
    return this.request("GET", `/units/${encodeURIComponent(code)}`);
  }

  units() {
    return this.request("GET", "/units?limit=1000");
  }

  device(unit, device) {
    return this.request("GET", `/devices/${encodeURIComponent(unit)}/${encodeURIComponent(device)}`);
  }

  latest(unit, device) {
    return this.request("GET", `/devices/${encodeURIComponent(unit)}/${encodeURIComponent(device)}/latest`);
  }

  /** Readings in at most `points` buckets a channel; `from`, `to` in ms. */
  readings(unit, device, { metric, from, to, points }) {
    const query = new URLSearchParams({ metric, from: new Date(from).toISOString(), to: new Date(to).toISOString(), points: String(points) });
    return this.request("GET", `/devices/${encodeURIComponent(unit)}/${encodeURIComponent(device)}/readings?${query}`);
  }

  devicesOf(unit, limit) {
    return this.request("GET", `/devices?unit=${encodeURIComponent(unit)}&limit=${limit}`);
  }

  findDevices(words, limit = 20) {
    return this.request("GET", `/devices?q=${encodeURIComponent(words)}&limit=${limit}`);
  }

  findUnits(words, limit = 20) {
    return this.request("GET", `/units?q=${encodeURIComponent(words)}&limit=${limit}`);
  }

  rules() {
    return this.request("GET", "/rules");
  }

  /** Who is on duty, and who is planned. */
  watch() {
    return this.request("GET", "/watch");
  }

  /** 值班日志, newest first. */
  shiftLog(shift, cursor = "") {
    return this.request("GET", `/shifts/${encodeURIComponent(shift)}/log?order=newest&limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
  }

  /** 自检, in these states. */
  selfTests(states, cursor = "") {
    return this.request("GET", `/self-tests?state=${states.join(",")}&limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
  }

  selfTestsDone(limit) {
    return this.request("GET", `/self-tests/log?limit=${limit}`);
  }

  /** Accounts of these roles; none named: the centre's. */
  accounts(...roles) {
    return this.request("GET", `/accounts${roles.length ? `?role=${roles.join(",")}` : ""}`);
  }

  shifts(limit) {
    return this.request("GET", `/shifts?limit=${limit}`);
  }

  shift(id) {
    return this.request("GET", `/shifts/${encodeURIComponent(id)}`);
  }

  badActors(days, limit) {
    return this.request("GET", `/bad-actors?days=${days}&limit=${limit}`);
  }

  /** 接入率、在线率、完好率 as they stand; `by`: grid, kind, both with a comma, or neither. */
  rates(by = "") {
    return this.request("GET", `/rates?by=${by}`);
  }

  /** The same of the days that are over, oldest first. */
  rateDays() {
    return this.request("GET", "/rates/days");
  }

  /** What is not protected right now. */
  notProtected() {
    return this.request("GET", "/not-protected");
  }

  /** Closed lately, highest priority first. */
  closedSince(ms, limit = 200) {
    return this.request("GET", `/alerts?state=closed&since=${encodeURIComponent(new Date(ms).toISOString())}&limit=${limit}`);
  }

  /** An operator's act on one alert: `verb` is acknowledge, verify, forward, receipt, follow-up, cancel, assign, shelve, unshelve, reopen, note or close. */
  act(id, verb, body, key) {
    return this.request("POST", `/alerts/${encodeURIComponent(id)}/${verb}`, { body, key });
  }
}
