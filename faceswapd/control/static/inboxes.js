// The inboxes: where they lie, how they are watched, and pausing each.

import { post } from "./api.js";
import { order } from "./dialogs.js";
import { fill, h, keyed, prose } from "./dom.js";
import { icon } from "./icons.js";
import { now } from "./live.js";
import { count } from "./words.js";

const list = h("ul", { class: "cards" });

export function makeInboxes() {
  fill(document.getElementById("view-inboxes"), h("h1", { class: "view-title" }, "Inboxes"),
    h("p", { class: "muted" }, "Folders on the daemon's machine. What is dropped into them becomes a job when it is complete."), list);
}

export function showInboxes(status) {
  keyed(list, status.inboxes, (inbox) => inbox.name, inboxCard);
}

function inboxCard() {
  const element = h("li", { class: "card inbox" });
  let told = "";
  return {
    element,
    update(inbox) {
      const next = JSON.stringify(inbox);
      if (next === told) return;
      const focused = element.contains(document.activeElement);
      told = next;
      draw(element, inbox);
      if (focused) element.querySelector("button").focus();
    },
  };
}

function draw(element, inbox) {
  const act = inbox.paused ? "Resume" : "Pause";
  const facts = [["Folder", inbox.path], ["Preset", inbox.preset], ["Priority", String(inbox.priority)],
    ["Watched by", `${inbox.watching}${inbox.file_system ? ` (${inbox.file_system})` : ""}`], ["Arriving", inbox.arriving ? count(inbox.arriving, "file") : ""]];
  fill(element,
    h("div", { class: "spread" },
      h("h2", null, icon("folder"), inbox.name, " ", inbox.paused && h("span", { class: "chip paused" }, "Paused")),
      h("button", {
        type: "button", class: "button small", "aria-label": `${act} the inbox ${inbox.name}`,
        onclick: async () => {
          await order(() => post(inbox.paused ? "/api/resume" : "/api/pause", { inbox: inbox.name }));
          await now("status");
        },
      }, icon(inbox.paused ? "play" : "pause"), h("span", null, act))),
    inbox.problem && h("p", { class: "reason bad" }, prose(inbox.problem)),
    inbox.remarks.map((remark) => h("p", { class: "reason" }, prose(remark))),
    h("dl", { class: "facts" }, facts.filter(([, value]) => value).map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value)))),
    inbox.watching_why && h("p", { class: "muted" }, prose(inbox.watching_why)));
}
