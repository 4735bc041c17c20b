// What comes over the page: short messages, questions, and the panel at the side.

import { button, fill, h, prose } from "./dom.js";
import { icon } from "./icons.js";

const TOAST = 6000;

/** A short message. `act` is {words, go} of a button on it. */
export function toast(text, { bad = false, act = null } = {}) {
  const shown = h("div", { class: bad ? "toast bad" : "toast" }, h("p", null, prose(text)));
  const gone = () => shown.remove();
  if (act) shown.append(button(act.words, () => { gone(); act.go(); }, { class: "button quiet" }));
  shown.append(h("button", { type: "button", class: "icon-button", "aria-label": "Close this message", onclick: gone }, icon("close")));
  const all = document.getElementById("toasts");
  all.append(shown);
  while (all.children.length > 4) all.firstElementChild.remove();
  setTimeout(gone, bad ? TOAST * 2 : TOAST);
}

/** Do something and say what came of it. `act` as of toast. Returns whether it went well. */
export async function order(doing, act = null) {
  try {
    const done = await doing();
    if (done?.text) toast(done.text, { act });
    return true;
  } catch (error) {
    toast(error.message, { bad: true });
    return false;
  }
}

function dialog(attributes, ...children) {
  const made = h("dialog", attributes, ...children);
  made.addEventListener("close", () => made.remove());
  made.addEventListener("click", (event) => {
    if (event.target === made) made.close();
  });
  document.body.append(made);
  return made;
}

/** Ask before something that cannot be undone. */
export function ask(title, text, words) {
  return new Promise((answer) => {
    const made = dialog(
      { class: "ask", "aria-labelledby": "ask-title" },
      h("h2", { id: "ask-title" }, title),
      h("p", null, prose(text)),
      h("div", { class: "row-end" },
        button("Leave it", () => made.close()),
        button(words, () => { answer(true); made.close(); }, { class: "button bad" })),
    );
    made.addEventListener("close", () => answer(false));
    made.showModal();
  });
}

/** A dialog with a title and a button that closes it. `closed` is called when it has gone. */
export function panel(name, title, closed = () => {}) {
  const heading = h("h2", { id: `${name}-title` }, title);
  const body = h("div", { class: "panel-body" });
  const made = dialog(
    { class: `panel ${name}`, "aria-labelledby": `${name}-title` },
    h("header", { class: "panel-head" }, heading,
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => made.close() }, icon("close"))),
    body,
  );
  made.addEventListener("close", closed);
  made.showModal();
  return { element: made, body, retitle: (...words) => fill(heading, ...words), close: () => made.close() };
}

/** Whether anything lies over the page. */
export const covered = () => document.querySelector("dialog[open]") !== null;
