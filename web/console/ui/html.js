// Markup as the console writes it: htm on Preact.
import htm from "../vendor/htm.mjs";
import { h } from "../vendor/preact.mjs";

/**
 * htm would keep each piece without values in it and give the same one every time. Preact notes in a piece where it stands, and the
 * first of them would hold the panel it first stood in for good, long after that was closed: three says that none is to be kept.
 * @this {any}
 */
function piece(/** @type {any[]} */ ...of) {
  this[0] = 3;
  return h(...of);
}

export const html = htm.bind(piece);
