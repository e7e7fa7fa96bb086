// This seat's own choices, kept in the browser: theme, language, single keys.
import { signal } from "../vendor/signals.mjs";

export const THEMES = ["dark", "dim", "light"];
const PREFIX = "firetower.";

/** Whether this page is a display on the wall 大屏, and no seat: `?wall=1`, or `#wall`; as it was opened, and so for good. */
const WALL = new URLSearchParams(location.search).get("wall") === "1" || location.hash === "#wall";
export const isWall = () => WALL;

export class Settings {
  constructor() {
    const theme = this.read("theme");
    this.theme = signal(THEMES.includes(theme) ? theme : "dark");
    this.singleKeys = signal(this.read("singleKeys") !== "off");
    /** What this seat does not want to see on the map: unit, station, grid, kind:…, status:…; alarms are not among it. */
    this.mapHidden = signal(new Set(this.read("mapHidden").split(" ").filter(Boolean)));
    this.apply();
  }

  /** Storage may be forbidden (private window, policy): the choice then lasts as long as the page. */
  read(name) {
    try {
      return localStorage.getItem(PREFIX + name) ?? "";
    } catch {
      return "";
    }
  }

  save(name, value) {
    try {
      localStorage.setItem(PREFIX + name, value);
    } catch {
      // not kept, still in force
    }
  }

  setTheme(name) {
    this.theme.value = name;
    this.save("theme", name);
    this.apply();
  }

  setSingleKeys(on) {
    this.singleKeys.value = on;
    this.save("singleKeys", on ? "on" : "off");
  }

  setMapHidden(names) {
    this.mapHidden.value = new Set(names);
    this.save("mapHidden", [...names].join(" "));
  }

  apply() {
    document.documentElement.dataset.theme = this.theme.value;
  }
}
