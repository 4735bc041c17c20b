// The top of the page: how the daemon is, how long it still has, and what can be done to all of it.

import { post } from "./api.js";
import { order, toast } from "./dialogs.js";
import { fill, h, prose, say } from "./dom.js";
import { icon } from "./icons.js";
import { now } from "./live.js";
import { status } from "./status.js";
import { count, duration } from "./words.js";

const WORDS = { running: "Running", paused: "Paused", held: "Held", draining: "Stopping" };

const pill = h("span", { class: "pill" }), left = h("span", { class: "left" });
const pause = h("button", { type: "button", class: "button", "aria-keyshortcuts": "p", onclick: togglePause, hidden: true });
let shownState = null, shownWhy = null;

/** Put the header's parts in. `upload` and `help` open what they name. */
export function makeHeader(upload, help) {
  fill(document.getElementById("state"), pill, left);
  const theme = h("button", { type: "button", class: "icon-button", id: "theme", onclick: changeTheme });
  nameTheme(theme);
  fill(document.getElementById("actions"), pause,
    h("button", { type: "button", class: "button main", id: "upload", "aria-keyshortcuts": "u", onclick: upload }, icon("upload"), h("span", null, "Upload")),
    theme,
    h("button", { type: "button", class: "icon-button", "aria-label": "Help and keys", title: "Help and keys (?)", onclick: help }, icon("help")));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => nameTheme(theme));
}

export function showHeader(now) {
  const word = WORDS[now.state] ?? now.state;
  pill.className = `pill ${now.state}`;
  say(pill, word);
  const open = (now.counts.queued ?? 0) + (now.counts.running ?? 0);
  const rest = now.queue_seconds_left === null ? "" : `, about ${duration(now.queue_seconds_left)} left`;
  say(left, open ? `${count(open, "job")} to do${rest}` : "Nothing to do");
  document.title = open ? `(${open}) faceswapd` : "faceswapd";
  const paused = now.state === "paused";
  pause.hidden = now.state === "draining";
  if (shownState !== now.state || !pause.firstChild) {
    const act = paused ? "Resume" : "Pause";
    pause.title = paused ? "Let the queue go on (p)" : "Start nothing new; what runs goes on (p)";
    fill(pause, icon(paused ? "play" : "pause"), h("span", null, act));
  }
  if (shownState !== now.state || shownWhy !== now.why) showBanner(now, paused);
  [shownState, shownWhy] = [now.state, now.why];
  say(document.getElementById("about"), `faceswapd ${now.version}, engine ${now.engine}, ${count(now.slots, "slot")}`);
}

function showBanner(now, paused) {
  const why = paused ? "Paused: nothing new starts. What runs goes on to its end." : now.why;
  fill(document.getElementById("banner"), why && h("p", { class: `banner ${now.state}` },
    icon(paused ? "pause" : "warn"), h("span", null, prose(why))));
}

export async function togglePause() {
  const resume = status()?.state === "paused";
  await order(() => post(resume ? "/api/resume" : "/api/pause"));
  await now("status");
}

const CONNECTION = {
  live: ["Live", "The page follows the daemon as things happen."],
  polling: ["Live, every 3 s", "This daemon has no event stream: it is asked every 3 seconds."],
  reconnecting: ["Reconnecting …", "The daemon does not answer just now. The page goes on by itself."],
  out: ["Logged out", "Run `faceswapctl open` on the daemon's machine."],
};

/** How the page hears of what happens. */
export function showConnection(state) {
  const shown = document.getElementById("connection");
  if (shown.dataset.state === state) return;
  const [word, meaning] = CONNECTION[state];
  if (state === "live" && shown.dataset.state === "reconnecting") toast("The daemon answers again.");
  shown.dataset.state = state;
  shown.title = meaning;
  fill(shown, h("span", { class: "dot", "aria-hidden": "true" }), h("span", { class: "connection-word" }, word));
}

function isDark() {
  return (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
}

function nameTheme(control) {
  const next = isDark() ? "light" : "dark";
  control.setAttribute("aria-label", `Use ${next} colours`);
  control.title = `Use ${next} colours`;
  fill(control, icon(isDark() ? "sun" : "moon"));
}

function changeTheme(event) {
  const next = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("theme", next);
  } catch { /* it is light or dark until the page is left */ }
  nameTheme(event.currentTarget);
}
