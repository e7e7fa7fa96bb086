// Boot: words, settings, the console, the page.
import { render } from "../vendor/preact.mjs";
import { html } from "../ui/html.js";
import { language, loadLanguages, preferredLanguage } from "../core/i18n.js";
import { letGoOfOldTrees } from "../core/trees.js";
import { App } from "../ui/app.js";
import { isPanel } from "../ui/panels.js";
import { Address } from "./address.js";
import { Console } from "./console.js";
import { Settings, isWall } from "./settings.js";

const settings = new Settings();
language.value = preferredLanguage(settings.read("language"), navigator.languages);
document.documentElement.lang = language.value;
await loadLanguages();

const desk = new Console({ settings });
letGoOfOldTrees();
const root = /** @type {HTMLElement} */ (document.getElementById("console"));
render(html`<${App} desk=${desk} />`, root);
if (!isWall()) new Address({ desk, isPanel }); // a display looks at everything, and nobody is asked before it reloads
desk.boot();
