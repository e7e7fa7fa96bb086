// Line icons drawn here, since a font may lack the glyph.
import { html } from "./html.js";

const PATHS = {
  sound: "M4 9v6h4l5 4V5L8 9zM16.5 8.5a5 5 0 0 1 0 7M19 6a8.5 8.5 0 0 1 0 12",
  silent: "M4 9v6h4l5 4V5L8 9zM17 9.5l5 5M22 9.5l-5 5",
  live: "M3 12h4l3-7 4 14 3-7h4",
  lost: "M3 12h4l2-4M15 16l2-4h4M10 3l4 18",
  warning: "M12 3 22.5 21h-21zM12 10v5M12 17.6v.6",
  flood: "M2 8c3-3 5 3 8 0s5 3 8 0 3 0 4 0M2 14c3-3 5 3 8 0s5 3 8 0 3 0 4 0M2 20c3-3 5 3 8 0s5 3 8 0 3 0 4 0",
  unstored: "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M3 22 21 3",
  waiting: "M6 3h12M6 21h12M7 3c0 9 10 9 10 18M17 3c0 9-10 9-10 18",
  phone: "M5 3h4l2 5-3 2c1 3 3 5 6 6l2-3 5 2v4c0 1-1 2-2 2C10 21 3 14 3 5c0-1 1-2 2-2z",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 21c0-9 16-9 16 0",
  back: "M14 5l-7 7 7 7",
  due: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 7v5.5l3.5 2",
  overdue: "M8.2 3h7.6L21 8.2v7.6L15.8 21H8.2L3 15.8V8.2zM12 7v6M12 16.4v.6",
  wall: "M2 4h20v13H2zM8 21h8M12 17v4",
  reached: "M3 13l6 6L21 5",
  missed: "M5 12h14M3 3h18v18H3z",
  video: "M3 6h12v12H3zM15 10.5l6-3.5v10l-6-3.5z",
  away: "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM6 18 18 6",
};

export const Icon = ({ name }) =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
