// Cameras of the alert's place 视频: the link that opens each, pictures kept from before and after, a picture by hand.
import { useState } from "../vendor/preact-hooks.mjs";
import { html } from "./html.js";
import { age, clockTime, integer, moment, t, word } from "../core/i18n.js";
import { camerasOf, newestPicture } from "../core/video.js";
import { Icon } from "./icons.js";
import { Result } from "./outcome.js";

/** Pictures of one camera in sight; the others are a press away. */
const FIRST = 4;
const NEWS_MS = 1_200;

/** Looks at the cameras of the alert `id`, which may be a moment on their way. */
export function toVideo(desk, id, tries = 20) {
  const video = document.getElementById("video");
  if (desk.selectedId.value !== id) return;
  if (!video && tries) setTimeout(() => toVideo(desk, id, tries - 1), 100);
  video?.scrollIntoView({ block: "start" });
  video?.focus({ preventScroll: true });
}

export function Cameras({ desk, alert }) {
  const seen = desk.dossier.of("cameras", alert.id);
  const kept = desk.dossier.of("snapshots", alert.id);
  const [chosen, setChosen] = useState("");
  const [more, setMore] = useState(false);
  const error = seen.error || kept.error;
  if (!seen.data && !error) return null;
  const { near, elsewhere } = camerasOf(seen.data?.items ?? [], kept.data?.items ?? []);
  // until somebody chooses, the newest of the nearest camera is the large one
  const large = chosen || newestPicture(near)?.id || "";
  const show = (each) => html`<${Camera} key=${each.camera} desk=${desk} alert=${alert} each=${each} large=${large} onChoose=${(id) => setChosen(id === large ? "none" : id)} />`;
  return html`<section id="video" class="cameras" tabindex="-1" aria-label=${t("video.title")} data-cameras>
    <h3>${t("video.title")} <kbd>Shift V</kbd></h3>
    ${error && html`<p class="trouble" role="alert">${t("board.failed", { message: error })}</p>`}
    ${seen.data && !near.length && html`<p class="muted" data-no-camera>${t("video.none")}</p>`}
    <ul>${near.map(show)}</ul>
    ${elsewhere.length > 0 && html`<button aria-expanded=${more} data-elsewhere onClick=${() => setMore(!more)}>${t("video.elsewhere", { n: integer(elsewhere.length) })}</button>`}
    ${more && html`<ul>${elsewhere.map(show)}</ul>`}
  </section>`;
}

function Camera({ desk, alert, each, large, onChoose }) {
  const [all, setAll] = useState(false);
  const name = each.name || each.camera;
  const shots = all ? each.shots : each.shots.slice(-FIRST);
  const open = each.shots.find((shot) => shot.id === large && shot.url);
  return html`<li class=${open ? "with-large" : ""} data-camera=${each.camera} data-sight=${each.sight}><div>
    <p class="camera-name"><b>${name}</b> <span class="muted">${word("sight", each.sight)}${each.distance_m === null ? "" : ` · ${t("near.metres", { n: integer(each.distance_m) })}`}</span></p>
    <div class="act-buttons">
      ${each.link && html`<a class="dial" href=${each.link} target="_blank" rel="noopener noreferrer" aria-label=${t("video.open_of", { camera: name })}><${Icon} name="video" />${t("video.open")}</a>`}
      ${each.takes_pictures && html`<${Take} desk=${desk} alert=${alert} camera=${each.camera} name=${name} />`}
    </div>
    ${each.shots.length > shots.length && html`<button class="link" data-all-shots onClick=${() => setAll(true)}>${t("video.all", { n: integer(each.shots.length) })}</button>`}
    ${shots.length > 0 && html`<ol class="shots">${shots.map((shot) => html`<${Shot} key=${`${shot.id} ${shot.moment}`} desk=${desk} shot=${shot} name=${name} large=${shot.id === open?.id} onChoose=${onChoose} />`)}</ol>`}</div>
    ${open && html`<${Large} desk=${desk} shot=${open} name=${name} />`}
  </li>`;
}

/** 手动抓拍; its result stands beside the button. */
function Take({ desk, alert, camera, name }) {
  const request = `picture ${alert.id} ${camera}`;
  const busy = desk.requests.result(request)?.phase === "doing" || desk.operator.value?.role === "viewer";
  const take = async () => {
    const answer = await desk.requests.send(request, `/alerts/${alert.id}/snapshots`, { camera });
    if (answer?.phase !== "done") return;
    desk.dossier.ask("snapshots");
    desk.dossier.later(() => desk.dossier.ask("snapshots"), NEWS_MS);
  };
  const made = desk.requests.result(request)?.data;
  return html`<button disabled=${busy} data-take=${camera} aria-label=${t("video.take_of", { camera: name })} onClick=${take}>${t("video.take")}</button>
    <${Result} desk=${desk} name=${request} done=${made ? t("video.asked", { time: clockTime(Date.parse(made.due_at)) }) : ""} />`;
}

const whyOf = ({ code, status }) => `${word("no_picture", code)}${status ? ` (${status})` : ""}`;
const momentOf = (shot) => (shot.moment === "by_hand" ? `${word("picture", "by_hand")} · ${shot.by}` : word("picture", shot.moment));

function Shot({ desk, shot, name, large, onChoose }) {
  const now = desk.now.value;
  const at = Date.parse(shot.taken_at ?? shot.asked_at ?? shot.due_at);
  return html`<li data-shot=${shot.id} data-moment=${shot.moment} data-shot-state=${shot.state}>
    ${shot.url
      ? html`<button class="shot" aria-expanded=${large} aria-label=${t("video.enlarge", { camera: name, moment: momentOf(shot), time: moment(at, now) })} onClick=${() => onChoose(shot.id)}><img src=${shot.url} alt="" loading="lazy" decoding="async" width="160" height="90" /></button>`
      : html`<p class="no-shot ${shot.trouble ? "doubt" : "muted"}">${shot.trouble && html`<${Icon} name="overdue" />`}${
          shot.trouble ? whyOf(shot.trouble) : t("video.due", { time: clockTime(Date.parse(shot.next_try_at ?? shot.due_at)) })}${shot.trouble && shot.next_try_at && html`<br />${t("video.again")}`}</p>`}
    <p class="small">${momentOf(shot)}<br /><span class="num muted">${moment(at, now)}</span></p>
  </li>`;
}

/** In place, not over anything: with its time and age, since it is never live. */
function Large({ desk, shot, name }) {
  const now = desk.now.value;
  const at = Date.parse(shot.taken_at);
  return html`<figure class="large" data-large=${shot.id}>
    <a href=${shot.url} target="_blank" rel="noopener noreferrer"><img src=${shot.url} alt=${t("video.alt", { camera: name, moment: momentOf(shot), time: moment(at, now) })} width="640" height="360" decoding="async" /></a>
    <figcaption><b>${t("video.not_live")}</b> <span class="num">${moment(at, now)} · ${t("video.age", { age: age(now - at) })}</span></figcaption>
  </figure>`;
}

/** What is kept of the place, where a verification by video 视频复核 is written. */
export function LookedAt({ desk, alert }) {
  const { near } = camerasOf(desk.dossier.rows("cameras", alert.id), desk.dossier.rows("snapshots", alert.id));
  const shot = newestPicture(near);
  if (!near.length) return html`<p class="muted">${t("video.none")}</p>`;
  return html`<p class="num" data-looked-at=${shot?.id ?? ""}>${shot ? t("video.looked_at", { camera: shot.camera_name || shot.camera, time: moment(Date.parse(shot.taken_at), desk.now.value) }) : t("video.no_picture")}</p>`;
}
