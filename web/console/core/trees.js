// Lets go of what preact keeps of pages drawn long ago, so that a page that stands for days does not grow.
import { options } from "../vendor/preact.mjs";

/**
 * A component that need not draw again hands its children, with the very array, on to the next tree. Whoever still knows an old tree (a
 * constant piece of a template, the root) then knows every later one through it, and every row that was ever drawn. Once a component is
 * drawn anew, its tree before is cut off.
 */
export function letGoOfOldTrees() {
  /** @type {WeakMap<object, any>} the tree a component stands in, by component */
  const standing = new WeakMap();
  let left = /** @type {any[]} */ ([]);
  const hooks = /** @type {any} */ (options);
  const { diffed, __c: commit } = hooks;
  hooks.diffed = (vnode) => {
    const component = vnode.__c;
    if (component && typeof vnode.type === "function") {
      const old = standing.get(component);
      if (old && old !== vnode) left.push(old);
      standing.set(component, vnode);
    }
    diffed?.(vnode);
  };
  hooks.__c = (vnode, queue) => {
    for (const old of left) old.__k = old.__ = null; // only now: what follows in the list is placed by looking at it
    left = [];
    commit?.(vnode, queue);
  };
}
