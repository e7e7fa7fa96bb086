// The watch 值守 at this seat: who is on duty, the presence check 查岗 and its answer, leaving, and signing in again to act.
import { signal } from "../vendor/signals.mjs";
import { monotonic } from "./clock.js";

/** While nothing is asked, that somebody pressed a key is said this often at most. */
const SAID_MS = 10_000;
/** An answer that nobody confirmed is sent again by the next key after so long. */
const AGAIN_MS = 2_000;
/** How long the confirmed answer stays in sight. */
const SEEN_MS = 10_000;
/** These take effect at once: the key that answers a check does neither. */
const HELD_BACK = new Set(["acknowledge", "mute"]);

export class Watch {
  /** `present()`: says over the feed that somebody is here; whether it could be said. `operator()`: who is signed in. */
  constructor({ api, requests, clock, present, operator, steady = monotonic }) {
    this.api = api;
    this.requests = requests;
    this.clock = clock;
    this.present = present;
    this.operator = operator;
    this.steady = steady;
    /** The live feed's word, null before the first. */
    this.told = signal(/** @type {any} */ (null));
    /** Server ms at which this seat's answer was confirmed, for a while; 0: none. */
    this.answeredAt = signal(0);
    /** Whether an answer is on its way. */
    this.answering = signal(false);
    /** Why this seat could not be left: a refusal with who could take over, or no answer. */
    this.leaving = signal(/** @type {any} */ (null));
    /** Whether the session acts no more, while the seat goes on showing and sounding. */
    this.expired = signal(false);
    this.saidAt = -Infinity;
    this.said = "";
  }

  take(told) {
    const said = JSON.stringify(told);
    if (said === this.said) return;
    const asked = this.told.value?.presence;
    this.said = said;
    this.told.value = told;
    if (told.presence && told.presence.asked_at !== asked?.asked_at) this.saidAt = -Infinity; // what was said before does not answer it
    if (told.presence || !asked) return;
    this.answering.value = false;
    if (this.mine()) this.answeredAt.value = this.clock.now();
  }

  leave() {
    this.said = "";
    this.told.value = null;
    this.answeredAt.value = 0;
    this.answering.value = false;
    this.leaving.value = null;
    this.expired.value = false;
  }

  /** The duty of whoever is signed in, undefined off duty. */
  mine() {
    return this.told.value?.on_duty.find(({ account }) => account === this.operator()?.username);
  }

  /** Who is signed in may act at all. */
  mayAct() {
    return ["admin", "operator"].includes(this.operator()?.role);
  }

  /** A key press or click of a person, never of a script or of something that lies on the keyboard. */
  pressed(event) {
    if (!event.isTrusted || event.repeat) return;
    const asked = Boolean(this.told.value?.presence);
    const since = this.steady() - this.saidAt;
    if (since < (asked ? AGAIN_MS : SAID_MS) || !this.present()) return;
    this.saidAt = this.steady();
    this.answering.value = asked;
  }

  /** Whether a command is not to be carried out because its key answers a check. */
  holdsBack(command) {
    return Boolean(this.told.value?.presence) && HELD_BACK.has(command);
  }

  tick() {
    if (this.answeredAt.value && this.clock.now() - this.answeredAt.value > SEEN_MS) this.answeredAt.value = 0;
    if (this.answering.value && this.steady() - this.saidAt > AGAIN_MS) this.answering.value = false;
  }

  /** Ends the session; whether it has ended. The last one on duty is refused, and `leaving` says who could take over. */
  async signOut() {
    this.leaving.value = { phase: "doing" };
    const answer = await this.api.signOut();
    if (answer.ok || answer.status === 401) return true;
    this.leaving.value = { phase: answer.status === 0 ? "unanswered" : "refused", code: answer.code, message: answer.message, current: answer.details?.current };
    return false;
  }

  /** 消音 stands in the shift log of whoever may act. */
  muted(seconds) {
    if (this.mayAct()) this.api.request("POST", "/watch/mute", { body: { seconds } });
  }
}
