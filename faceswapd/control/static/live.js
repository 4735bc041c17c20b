// What is on the page stays true: parts are asked for again when events say so, at most once a second, and not while
// nobody looks.

const parts = new Map(); // name -> { ask, wanted: () => boolean }
const dirty = new Set();
let timer = null, asked = 0, asking = false;

/** A part of the page. `ask` fetches and draws it; it is left alone while `wanted` says no. */
export function part(name, ask, wanted = () => true) {
  parts.set(name, { ask, wanted });
}

/** These parts have changed; without a name: all. */
export function touch(...names) {
  for (const name of names.length ? names : parts.keys()) dirty.add(name);
  plan();
}

/** The same, and at once: somebody waits for it. */
export async function now(...names) {
  for (const name of names.length ? names : parts.keys()) dirty.add(name);
  await work();
}

function plan() {
  if (timer !== null || asking || document.hidden || !dirty.size) return;
  timer = setTimeout(work, Math.max(0, asked + 1000 - performance.now()));
}

async function work() {
  clearTimeout(timer);
  timer = null;
  const names = [...dirty].filter((name) => parts.get(name)?.wanted());
  dirty.clear();
  asking = true;
  asked = performance.now();
  try {
    await Promise.all(names.map((name) => parts.get(name).ask()));
  } finally {
    asking = false;
    plan();
  }
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) touch();
});
