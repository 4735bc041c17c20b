// Puts the page together.

import { loggedOut } from "./api.js";
import { panel, toast } from "./dialogs.js";
import { h } from "./dom.js";
import { askFaces, makeFaces } from "./faces.js";
import { makeHeader, showConnection, showHeader, togglePause } from "./header.js";
import { askHealth, makeHealth } from "./health.js";
import { makeInboxes, showInboxes } from "./inboxes.js";
import { askJob, closeJob, isOpen, openJob, showJobProgress } from "./job.js";
import { help, listen } from "./keys.js";
import { now, part, touch } from "./live.js";
import { askJobs, makeQueue, showProgress, showQueue, step } from "./queue.js";
import { askStatus, status, whenStatus } from "./status.js";
import { follow } from "./stream.js";
import { makeUpload, openUpload } from "./upload.js";

const VIEWS = ["queue", "faces", "inboxes", "health"];
const OWN_PACE = 15_000; // milliseconds; what no event tells: readings, times, files that arrive
let view = "queue";

makeHeader(() => openUpload(), help);
makeQueue(openUpload);
makeFaces();
makeInboxes();
makeHealth();
makeUpload();

part("status", askStatus);
part("jobs", askJobs, () => view === "queue");
part("faces", askFaces, () => view === "faces");
part("health", askHealth, () => view === "health");
part("job", askJob, isOpen);

let version = null;
whenStatus(showHeader);
whenStatus(showQueue);
whenStatus(showInboxes);
whenStatus((said) => {
  if (version !== null && version !== said.version) {
    toast(`The daemon is faceswapd ${said.version} now.`, { act: { words: "Reload the page", go: () => location.reload() } });
  }
  version = said.version;
});

/** Show what the address names: #queue, #faces, #inboxes, #health or #job/7. */
function show() {
  const [name, number] = location.hash.slice(1).split("/");
  if (name === "job" && /^[0-9]{1,15}$/.test(number ?? "")) {
    openJob(Number(number), () => {
      if (location.hash.startsWith("#job/")) history.replaceState(null, "", `#${view}`);
    });
  } else {
    closeJob();
    if (VIEWS.includes(name)) view = name;
    else if (name === "main") document.getElementById("main").focus();
  }
  for (const one of VIEWS) document.getElementById(`view-${one}`).hidden = one !== view;
  for (const link of document.querySelectorAll(".tabs a")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

addEventListener("hashchange", () => {
  show();
  void now("jobs", "faces", "health");
});

listen({
  "/": () => { location.hash = "#queue"; show(); document.getElementById("search").focus(); },
  j: () => step(1),
  k: () => step(-1),
  p: togglePause,
  u: () => openUpload(),
  "?": help,
});

const ENDS = { succeeded: "is done", failed: "has failed", parked: "needs you" };

function hear(kind, data) {
  if (kind === "progress") {
    showProgress(data.jobs);
    showJobProgress(data.jobs);
    return;
  }
  if (kind in ENDS && data.job) {
    document.getElementById("told").textContent = `Job ${data.job} ${ENDS[kind]}.`;
  }
  touch();
}

let out = null;

loggedOut.addEventListener("out", () => {
  showConnection("out");
  if (out) return;
  out = panel("login", "You are logged out", () => { out = null; });
  out.body.append(
    h("p", null, "Run ", h("code", null, "faceswapctl open"), " on the daemon's machine, and open the link that it prints in this browser. Then:"),
    h("button", { type: "button", class: "button main", onclick: () => { out.close(); comeBack(); } }, "Go on"),
  );
});

async function comeBack() {
  await now();
  if (out) return;
  showConnection(stream === "out" ? "reconnecting" : stream); // a line that was open may have stayed open
  dispatchEvent(new Event("logged-in"));
}

let polling = null, stream = "reconnecting";

function tell(state) {
  stream = state;
  if (state === "polling" && polling === null) polling = setInterval(() => touch(), 3000);
  showConnection(state);
  if (state === "live") touch();
}

whenStatus(
  () => { if (polling !== null) showConnection("polling"); },
  (error) => { if (error.status !== 401 && (polling !== null || !status())) showConnection("reconnecting"); },
);

async function begin() {
  show();
  await now();
  void follow(hear, tell);
  setInterval(() => touch("status", "faces", "health"), OWN_PACE);
}

void begin();
