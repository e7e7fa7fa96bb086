// Alarm sound: a pattern per priority 1 and 2, repeated until acknowledged; a tone of its own for what 119 has not taken, an announced test, a presence check and a lost connection.
import { signal } from "../vendor/signals.mjs";

/** Tones are [Hz, start s, length s]; `every`: ms from one start to the next. */
const PATTERNS = {
  1: { every: 2_000, wave: "square", gain: 0.28, tones: [[960, 0, 0.17], [770, 0.2, 0.17], [960, 0.4, 0.17], [770, 0.6, 0.17]] },
  2: { every: 5_000, wave: "triangle", gain: 0.5, tones: [[587, 0, 0.2], [587, 0.32, 0.2]] },
  in_test: { every: 6_000, wave: "sine", gain: 0.4, tones: [[330, 0, 0.5], [415, 0.5, 0.4]] },
  loss: { every: 8_000, wave: "sawtooth", gain: 0.22, tones: [[392, 0, 0.3], [262, 0.34, 0.5]] },
  trouble: { every: 60_000, wave: "sawtooth", gain: 0.22, tones: [[392, 0, 0.3], [262, 0.34, 0.5]] },
  receipt: { every: 4_000, wave: "triangle", gain: 0.5, tones: [[1319, 0, 0.09], [1319, 0.13, 0.09], [1319, 0.26, 0.09], [988, 0.42, 0.34]] },
  presence: { every: 10_000, wave: "sine", gain: 0.35, tones: [[698, 0, 0.09], [698, 0.16, 0.09], [698, 0.32, 0.09]] },
  test: { every: 0, wave: "sine", gain: 0.5, tones: [[523, 0, 0.14], [659, 0.17, 0.14], [784, 0.34, 0.24]] },
};

export const MUTE_MS = 120_000;
const TURN_MS = 200;
const PATTERN_MS = 1_000; // every pattern is shorter
const HEARTBEAT_MS = 1_000;

/** Nothing below priority 2 sounds. */
const sounds = (priority) => priority === 1 || priority === 2;

export class Sound {
  constructor({ steady = () => performance.now(), context = () => new AudioContext() } = {}) {
    this.steady = steady;
    this.makeContext = context;
    /** off: nobody pressed a key yet · armed: the audio clock runs · fault: it was armed and its clock stands still */
    this.state = signal("off");
    /** Steady ms at which the mute ends; 0 when not muted. */
    this.mutedUntil = signal(0);
    this.demand = 0;
    /** Most urgent priority that waits inside an announced test 测试中. */
    this.testDemand = 0;
    /** What sounds now until somebody acts: "1", "2", "receipt", "in_test" or nothing. */
    this.sounding = signal("");
    this.lost = false;
    /** Whether something does not reach 119 and nobody here is at it. */
    this.unreceipted = false;
    this.receiptAt = 0;
    /** What of the service is away, by name, so that alarms may not arrive. */
    this.troubles = "";
    this.troubleAt = 0;
    this.nextAt = 0;
    this.testAt = 0;
    this.lossAt = 0;
    /** Whether somebody is asked to show that they are here 查岗. */
    this.asked = false;
    this.askedAt = 0;
    /** Steady ms until which one pattern has the air: one stream of sound, however many alarms arrive. */
    this.busyUntil = 0;
    /** @type {AudioContext | null} */
    this.context = null;
    this.clockSeen = -1;
  }

  start() {
    this.turning = setInterval(() => this.turn(), TURN_MS);
    this.beating = setInterval(() => this.heartbeat(), HEARTBEAT_MS);
  }

  stop() {
    clearInterval(this.turning);
    clearInterval(this.beating);
    this.context?.close();
    this.context = null;
    this.state.value = "off";
    this.mutedUntil.value = 0;
    this.setDemand(0);
    this.lost = this.asked = this.unreceipted = false;
    this.troubles = "";
  }

  /** Call in a key or pointer event. Plays the test tone. @returns {Promise<boolean>} whether sound works now */
  async arm() {
    this.context ??= this.makeContext();
    await Promise.race([this.context.resume(), new Promise((done) => setTimeout(done, 1_000))]);
    if (this.context?.state !== "running") return false;
    this.state.value = "armed";
    this.play("test");
    return true;
  }

  get armed() {
    return this.state.value === "armed";
  }

  /** Most urgent priority waiting for an operator, 0 for none; the same of announced tests. What is real goes over a test. */
  setDemand(priority, testing = 0) {
    this.demand = priority;
    this.testDemand = testing;
    this.sounding.value = sounds(priority) ? String(priority) : this.unreceipted ? "receipt" : sounds(testing) ? "in_test" : "";
  }

  /** Something new, or something known that happened again. A fire or priority 1 ends a mute, in a test too. */
  rouse(priority, fire, testing = false) {
    if (fire || priority === 1) this.mutedUntil.value = 0;
    const at = testing ? "testAt" : "nextAt";
    if (sounds(priority)) this[at] = Math.min(this[at], this.steady());
    this.turn();
  }

  /** The connection: a new loss ends a mute, for no fire would be heard through it. */
  setLost(lost) {
    if (lost && !this.lost) this.lossAt = this.mutedUntil.value = 0;
    this.lost = lost;
    this.turn();
  }

  /** Parts of the service that are away, their names; one more ends a mute, for the same reason. */
  setTroubles(names) {
    const known = this.troubles.split(" ");
    if (names.some((name) => !known.includes(name))) this.troubleAt = this.mutedUntil.value = 0;
    this.troubles = names.join(" ");
    this.turn();
  }

  /** 未签收: sounds until somebody records a receipt or opens the script here; `fresh`: of one more fire, which ends a mute. */
  setUnreceipted(on, fresh = false) {
    if (fresh) this.receiptAt = this.mutedUntil.value = 0;
    this.unreceipted = on;
    this.setDemand(this.demand, this.testDemand);
    this.turn();
  }

  setAsked(asked) {
    if (asked && !this.asked) this.askedAt = this.steady();
    this.asked = asked;
    this.turn();
  }

  /** 消音: what sounds now is silent for two minutes; pressed again, it sounds again. */
  toggleMute() {
    this.mutedUntil.value = this.mutedUntil.value ? 0 : this.steady() + MUTE_MS;
  }

  muteLeft() {
    return this.mutedUntil.value ? Math.max(0, this.mutedUntil.value - this.steady()) : 0;
  }

  turn() {
    const now = this.steady();
    if (this.mutedUntil.value && now >= this.mutedUntil.value) this.mutedUntil.value = 0;
    if (!this.armed || this.mutedUntil.value || now < this.busyUntil) return;
    if (this.lost && now >= this.lossAt) {
      this.lossAt = now + PATTERNS.loss.every;
      this.play("loss");
    } else if (this.troubles && !this.lost && now >= this.troubleAt) {
      this.troubleAt = now + PATTERNS.trouble.every;
      this.play("trouble");
    } else if (this.unreceipted && now >= this.receiptAt) {
      this.receiptAt = now + PATTERNS.receipt.every; // in the pauses of an alarm: one stream of sound
      this.play("receipt");
    } else if (sounds(this.demand)) {
      if (now < this.nextAt) return;
      this.nextAt = now + PATTERNS[this.demand].every;
      this.play(this.demand);
    } else if (this.asked && now >= this.askedAt) {
      this.askedAt = now + PATTERNS.presence.every;
      this.play("presence");
    } else if (sounds(this.testDemand) && now >= this.testAt) {
      this.testAt = now + PATTERNS.in_test.every;
      this.play("in_test");
    }
  }

  play(name) {
    const context = this.context;
    if (!context) return;
    const { wave, gain, tones } = PATTERNS[name];
    this.busyUntil = this.steady() + PATTERN_MS;
    for (const [pitch, start, length] of tones) {
      const at = context.currentTime + 0.02 + start;
      const oscillator = context.createOscillator();
      const envelope = context.createGain();
      oscillator.type = /** @type {OscillatorType} */ (wave);
      oscillator.frequency.value = pitch;
      envelope.gain.setValueAtTime(0, at);
      envelope.gain.linearRampToValueAtTime(gain, at + 0.012);
      envelope.gain.setValueAtTime(gain, at + length - 0.03);
      envelope.gain.linearRampToValueAtTime(0, at + length);
      oscillator.connect(envelope).connect(context.destination);
      oscillator.start(at);
      oscillator.stop(at + length + 0.02);
    }
  }

  /** The audio clock must advance: a sound card unplugged or a suspended context is a fault, not silence. */
  heartbeat() {
    const context = this.context;
    if (!context || this.state.value === "off") return;
    const advanced = context.state === "running" && context.currentTime > this.clockSeen;
    this.clockSeen = context.currentTime;
    this.state.value = advanced ? "armed" : "fault";
    if (!advanced) context.resume().catch(() => {});
  }
}
