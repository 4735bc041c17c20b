// Keys that work wherever nobody writes.

import { covered, panel } from "./dialogs.js";
import { h } from "./dom.js";

const KEYS = [
  ["/", "search among the jobs"], ["j  k", "to the next job, to the one before"], ["Enter", "open it"],
  ["p", "pause everything, or go on"], ["u", "upload"], ["?", "this help"], ["Esc", "close what lies over the page"],
];

export function help() {
  const { body } = panel("help", "Keys and help");
  body.append(
    h("dl", { class: "keys" }, KEYS.map(([key, does]) => h("div", null, h("dt", null, key.split("  ").map((one) => h("kbd", null, one))), h("dd", null, does)))),
    h("p", null, "A ", h("b", null, "job"), " is one target (a video or an image) to be swapped with one face. Drop files into an inbox folder on the daemon's machine, or upload them here. A finished job opens with before and after side by side."),
    h("p", null, "The same, and more, in a terminal: ", h("code", null, "faceswapctl --help"), "."),
  );
}

/** `does` maps a key to what it does. */
export function listen(does) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const writing = event.target.closest?.("input:not([type=range]), textarea, select, [contenteditable]");
    if (writing) {
      if (event.key === "Escape" && !covered()) event.target.blur();
      return;
    }
    const action = does[event.key];
    if (!action || covered()) return;
    event.preventDefault();
    action();
  });
}
