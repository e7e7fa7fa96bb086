// Cameras of an alert with the pictures kept of each, in the order in which they are looked at.

/**
 * Each camera with its `shots`, oldest first; those that see the place, and those elsewhere in the unit.
 * A camera that is out of use by now stays with what it showed.
 */
export function camerasOf(cameras, snapshots) {
  const shots = new Map();
  for (const shot of [...snapshots].reverse()) shots.set(shot.camera, [...(shots.get(shot.camera) ?? []), shot]);
  const known = new Set(cameras.map((each) => each.camera));
  const gone = [...shots.keys()].filter((code) => !known.has(code));
  const all = [
    ...cameras.map((each) => ({ ...each, shots: shots.get(each.camera) ?? [] })),
    ...gone.map((camera) => ({ camera, name: shots.get(camera)[0].camera_name, sight: "retired", distance_m: null, link: null, takes_pictures: false, shots: shots.get(camera) })),
  ];
  const isNear = (each) => each.sight !== "unit" || each.shots.length > 0;
  return { near: all.filter(isNear), elsewhere: all.filter((each) => !isNear(each)) };
}

/** The newest picture of the first camera that has any. */
export function newestPicture(cameras) {
  for (const { shots } of cameras) {
    const taken = shots.filter((shot) => shot.url);
    if (taken.length) return taken.reduce((a, b) => (Date.parse(b.taken_at) > Date.parse(a.taken_at) ? b : a));
  }
  return null;
}
