// The page: sign-in, or header, banners, queue and detail; and the one place that listens to the keyboard.
import { useEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "../vendor/htm-preact.mjs";
import { t } from "../core/i18n.js";
import { commandOf, isModifier, takesText } from "../core/keys.js";
import { Banners } from "./banner.js";
import { Detail } from "./detail.js";
import { Header } from "./header.js";
import { Help } from "./help.js";
import { Queue } from "./queue.js";
import { SignIn } from "./signin.js";

export const focusQueue = () => document.getElementById("queue-list")?.focus({ preventScroll: true });

export function App({ desk }) {
  const operator = desk.operator.value;
  if (operator === undefined) return html`<main class="waiting-page" aria-busy="true">${t("boot.loading")}</main>`;
  if (operator === null) return html`<${SignIn} desk=${desk} />`;
  return html`<${Seat} desk=${desk} />`;
}

function Seat({ desk }) {
  const [help, setHelp] = useState(false);
  /** On a phone the detail stands instead of the list; wide screens show both. */
  const [reading, setReading] = useState(false);
  /** Whether one key press was already spent on turning the sound on; that press does nothing else. */
  const asked = useRef(false);
  const singleKeys = desk.settings.singleKeys.value;

  const commands = {
    acknowledge: () => desk.acknowledge(),
    next: () => desk.move(1),
    previous: () => desk.move(-1),
    first: () => desk.move(-Infinity),
    last: () => desk.move(Infinity),
    open: () => {
      if (!desk.selectedId.value) return;
      setReading(true);
      document.getElementById("detail")?.focus();
    },
    mute: () => desk.sound.toggleMute(),
    filter: () => document.getElementById("queue-filter")?.focus(),
    help: () => setHelp(!help),
    back: () => {
      if (help) setHelp(false);
      else if (document.activeElement?.id === "queue-filter" && desk.filter.value) desk.setFilter("");
      else setReading(false);
      focusQueue();
    },
  };

  useEffect(() => {
    focusQueue();
  }, []);

  useEffect(() => {
    const onKey = (event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      if (event.defaultPrevented) return;
      const command = commandOf(event, singleKeys);
      if (command === "back") {
        event.preventDefault();
        return commands.back();
      }
      if (takesText(target) || isModifier(event)) return;
      if (armsSound(event) && desk.sound.state.value === "off") {
        desk.armSound();
        if (!asked.current) {
          asked.current = true; // only the first: without a sound card the keys must still work
          event.preventDefault();
          return;
        }
      }
      if (!command || !takesCommands(target)) return;
      if (command === "open" && target.id !== "queue-list") return;
      event.preventDefault();
      commands[command]();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });

  return html`<div class="seat ${reading && desk.selectedId.value ? "reading" : ""}">
    <${Header} desk=${desk} onHelp=${() => setHelp(!help)} helpOpen=${help} />
    <${Banners} desk=${desk} />
    <main class="desk">
      <${Queue} desk=${desk} onOpen=${() => setReading(true)} />
      <aside class="side" tabindex="0" aria-label=${t("detail.label")}>
        ${help && html`<${Help} desk=${desk} onClose=${commands.back} />`}
        <${Detail} desk=${desk} onBack=${commands.back} />
      </aside>
    </main>
    <div class="unseen" role="status" aria-live="assertive">${desk.announcement.value}</div>
  </div>`;
}

/** Any plain key; Tab only moves the focus, and a shortcut of the browser is not meant for us. */
const armsSound = (event) => !event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey && event.code !== "Tab";

/** Single keys act while the queue or the detail of the selected alert has the focus, or nothing has. */
const takesCommands = (target) => target === document.body || Boolean(target.closest?.(".desk"));
