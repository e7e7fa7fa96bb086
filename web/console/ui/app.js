// The page: sign-in, or header, banners, queue and detail; and the one place that listens to the keyboard.
import { useEffect, useRef, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { t } from "../core/i18n.js";
import { isOfUnit } from "../core/api.js";
import { commandOf, isModifier, takesText } from "../core/keys.js";
import { Banners } from "./banner.js";
import { toVideo } from "./cameras.js";
import { Detail } from "./detail.js";
import { Header } from "./header.js";
import { Help } from "./help.js";
import { isWall } from "../app/settings.js";
import { NoSeat } from "./noseat.js";
import { Fetched, Panel, fetchInTheBackground } from "./panels.js";
import { Queue } from "./queue.js";
import { SignIn } from "./signin.js";
import { Strip } from "./strip.js";

export const focusQueue = () => document.getElementById("queue-list")?.focus({ preventScroll: true });

export function App({ desk }) {
  const operator = desk.operator.value;
  if (operator === undefined) return html`<main class="waiting-page" aria-busy="true">${t("boot.loading")}</main>`;
  if (operator === null) return html`<${SignIn} desk=${desk} />`;
  if (isOfUnit(operator)) return html`<${NoSeat} desk=${desk} />`;
  return isWall() ? html`<${Fetched} desk=${desk} name="wall" />` : html`<${Seat} desk=${desk} />`;
}

function Seat({ desk }) {
  const [help, setHelp] = useState(false);
  /** On a phone the detail stands instead of the list; wide screens show both. */
  const [reading, setReading] = useState(false);
  /** Whether one key press was already spent on turning the sound on; that press does nothing else. */
  const asked = useRef(false);
  const singleKeys = desk.settings.singleKeys.value;
  const roomForMap = useRoom();
  const panel = roomForMap && desk.panel.value === "map" ? "" : desk.panel.value; // it stands beside the queue already

  /** A panel takes the place of the detail; its key, pressed again, or Escape gives it back. */
  const togglePanel = (name) => {
    const opens = desk.panel.value !== name;
    desk.panel.value = opens ? name : "";
    setReading(opens);
    if (opens) setTimeout(() => document.activeElement?.closest("#panel") || document.getElementById("panel")?.focus());
    else focusQueue();
  };
  const form = (verb) => {
    if (!desk.selected.value) return;
    setReading(true);
    desk.openForm(verb);
  };
  const toQueue = () => {
    desk.panel.value = "";
    setReading(false);
    focusQueue();
  };

  const commands = {
    acknowledge: () => desk.acknowledge(),
    verify: () => form("verify"),
    forward: () => form("forward"),
    receipt: () => form("receipt"),
    close: () => form("close"),
    follow_up: () => form("follow-up"),
    cancel: () => form("cancel"),
    script: () => {
      if (desk.panel.value === "script") return toQueue();
      if (desk.openScript()) setTimeout(() => document.getElementById("panel")?.focus());
    },
    video: () => {
      if (!desk.selectedId.value) return;
      desk.panel.value = "";
      setReading(true);
      toVideo(desk, desk.selectedId.value);
    },
    shelve: () => form("shelve"),
    restore: () => form(desk.selected.value?.state === "closed" ? "reopen" : "unshelve"),
    assign: () => form("assign"),
    group: () => desk.toggleGroup(),
    held: () => togglePanel("held"),
    board: () => togglePanel("board"),
    windows: () => togglePanel("windows"),
    closed: () => togglePanel("closed"),
    report: () => togglePanel("report"),
    watch: () => togglePanel("watch"),
    more: () => togglePanel("more"),
    next: () => desk.move(1),
    previous: () => desk.move(-1),
    first: () => desk.move(-Infinity),
    last: () => desk.move(Infinity),
    open: () => {
      if (!desk.selectedId.value) return;
      setReading(true);
      document.getElementById("detail")?.focus();
    },
    mute: () => desk.mute(),
    map: () => (roomForMap ? desk.mapBack() : togglePanel("map")),
    filter: () => document.getElementById("queue-filter")?.focus(),
    help: () => setHelp(!help),
    back: () => {
      if (help) setHelp(false);
      else if (document.activeElement?.id === "queue-filter" && desk.filter.value.q) desk.setFilter({ q: "" });
      else if (desk.panel.value) return toQueue();
      else if (desk.form.value) desk.form.value = "";
      else setReading(false);
      focusQueue();
    },
  };

  useEffect(() => {
    focusQueue();
  }, []);

  const live = desk.feedStatus.value === "live";
  useEffect(() => {
    if (live) fetchInTheBackground();
  }, [live]);

  useEffect(() => {
    if (panel) setReading(true); // a panel may be opened from the detail, the map or another panel
  }, [panel]);

  // in the capture phase: whatever a key or a click does then, somebody is here
  useEffect(() => {
    const here = (event) => {
      desk.watch.pressed(event);
      // a panel that a link or a reload opened has the focus and keys of its own: the first still turns the sound on
      if (event.type !== "keydown" || asked.current || desk.sound.state.value !== "off" || event.code === "Escape") return;
      if (takesText(event.target) || isModifier(event) || !armsSound(event)) return;
      asked.current = true;
      desk.armSound();
      event.preventDefault();
      event.stopPropagation();
    };
    for (const name of ["keydown", "pointerdown"]) document.addEventListener(name, here, true);
    return () => {
      for (const name of ["keydown", "pointerdown"]) document.removeEventListener(name, here, true);
    };
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
      if (!command || !takesCommands(target) || desk.watch.holdsBack(command)) return;
      // a row of the handover that had the focus may be gone: its key is not one for the queue
      if (command === "acknowledge" && target === document.body && desk.panel.value === "watch") return;
      if (command === "open" && target.id !== "queue-list") return; // a button has its own use for Enter
      event.preventDefault();
      commands[command]();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });

  const old = !live && desk.loaded.value && desk.lostAt;
  return html`<div class="seat ${old ? "old" : ""} ${reading && (desk.selectedId.value || panel) ? "reading" : ""}">
    <${Header} desk=${desk} onHelp=${() => setHelp(!help)} helpOpen=${help} />
    <${Strip} desk=${desk} onPanel=${togglePanel} />
    <${Banners} desk=${desk} />
    <main class="desk ${roomForMap ? "with-map" : ""}">
      <${Queue} desk=${desk} onOpen=${() => setReading(true)} />
      ${roomForMap && html`<${Fetched} desk=${desk} name="map" place=${html`<section class="map"></section>`} />`}
      <aside class="side" tabindex="0" aria-label=${t("detail.label")}>
        ${help && html`<${Help} desk=${desk} onClose=${commands.back} />`}
        ${panel ? html`<${Panel} key=${panel} desk=${desk} name=${panel} onBack=${toQueue} />` : html`<${Detail} desk=${desk} onBack=${toQueue} />`}
      </aside>
    </main>
    <div class="unseen" role="status" aria-live="assertive">${desk.announcement.value}</div>
  </div>`;
}

/** Whether the map has a place of its own beside the queue; else it is a panel. */
const ROOM = "(min-width: 1500px) and (min-height: 850px)";

function useRoom() {
  const [room, setRoom] = useState(() => matchMedia(ROOM).matches);
  useEffect(() => {
    const query = matchMedia(ROOM);
    const look = () => setRoom(query.matches);
    query.addEventListener("change", look);
    return () => query.removeEventListener("change", look);
  }, []);
  return room;
}

/** Any plain key; Tab only moves the focus, and a shortcut of the browser is not meant for us. */
const armsSound = (event) => !event.repeat && !event.ctrlKey && !event.metaKey && !event.altKey && event.code !== "Tab";

/** Single keys act while the queue or the detail of the selected alert has the focus, or nothing has. */
const takesCommands = (target) => target === document.body || Boolean(target.closest?.(".desk"));
