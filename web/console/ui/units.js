// A unit's code, with the registry's units to choose from once they were read.
import { useEffect, useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { Line } from "./fields.js";

export function Units({ desk, label, value, onInput, needed = false }) {
  const [units, setUnits] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    let wanted = true;
    desk.api.units().then((answer) => wanted && answer.ok && setUnits(answer.data.items));
    return () => {
      wanted = false;
    };
  }, []);
  const known = units.find(({ unit }) => unit === value);
  return html`<${Line} name="unit" label=${known ? `${label}: ${known.name}` : label} list="known-units" needed=${needed} max=${64} value=${value} onInput=${onInput} />
    <datalist id="known-units">${units.map(({ unit, name }) => html`<option key=${unit} value=${unit}>${name}</option>`)}</datalist>`;
}
