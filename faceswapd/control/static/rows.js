// One job as a line of a list, and as a card while it runs.

import { post } from "./api.js";
import { ask, order } from "./dialogs.js";
import { button, fill, h, prose, say } from "./dom.js";
import { icon } from "./icons.js";
import { now } from "./live.js";
import { status } from "./status.js";
import { STATE_WORDS, ago, baseName, count, duration, faceName, frameRate, moment, percent } from "./words.js";

const changed = () => now("status", "jobs", "job");

async function cancel(job) {
  const running = job.state === "running";
  if (running && !(await ask(`Cancel job ${job.id}?`, `What was done of ${baseName(job.target)} so far is given up.`, "Cancel the job"))) return;
  const undo = job.face ? { words: "Undo", go: () => retry(job) } : null;
  await order(() => post(`/api/jobs/${job.id}/cancel`), undo);
  await changed();
}

export async function retry(job) {
  await order(() => post(`/api/jobs/${job.id}/retry`));
  await changed();
}

export async function assign(job, face) {
  await order(() => post(`/api/jobs/${job.id}/assign`, { face }));
  await changed();
}

export async function prioritise(job, priority) {
  const kept = Math.max(-100, Math.min(100, priority));
  await order(() => post(`/api/jobs/${job.id}/priority`, { priority: kept }));
  await changed();
}

/** A small picture of a job's file; an icon where there is none. */
export function thumbnail(job, of = "target") {
  const frame = h("span", { class: "thumb" }, icon(job.kind === "image" ? "image" : "video"));
  if (job.category === "unreadable" || job.category === "incomplete") return frame;
  const picture = h("img", { src: `/api/jobs/${job.id}/thumbnail?of=${of}`, alt: "", loading: "lazy", decoding: "async" });
  picture.addEventListener("load", () => frame.classList.add("there"));
  picture.addEventListener("error", () => picture.remove());
  frame.append(picture);
  return frame;
}

/** The buttons that a job's state allows. */
export function actions(job, { small = false } = {}) {
  const made = [];
  const act = (words, name, go, extra) => h("button", {
    type: "button", class: small ? "icon-button" : "button", title: words, "aria-label": `${words}: ${baseName(job.target)}`,
    onclick: () => go(), ...extra,
  }, icon(name), !small && h("span", null, words));
  if (job.state === "queued" && small) {
    made.push(act(`Earlier (priority ${job.priority})`, "up", () => prioritise(job, job.priority + 10)));
    made.push(act(`Later (priority ${job.priority})`, "down", () => prioritise(job, job.priority - 10)));
  }
  if (job.state === "failed" || (job.state === "cancelled" && job.face)) made.push(act("Retry", "retry", () => retry(job)));
  if (job.state === "succeeded") {
    made.push(h("a", {
      class: small ? "icon-button" : "button", href: `/api/jobs/${job.id}/output?download=1`, download: "", title: "Download",
      "aria-label": `Download: ${baseName(job.target)}`,
    }, icon("download"), !small && h("span", null, "Download")));
  }
  if (["queued", "parked", "running"].includes(job.state)) {
    made.push(act(job.cancel_requested ? "It is being stopped" : "Cancel", "close", () => cancel(job), { disabled: job.cancel_requested }));
  }
  return made;
}

/** Choose a face for a parked job. */
export function assigning(job) {
  if (job.state !== "parked" || job.category !== "needs_face") return null;
  const faces = (status()?.faces ?? []).filter((face) => !face.problem);
  if (!faces.length) return h("p", { class: "advice" }, "There is no face yet: add one under ", h("a", { href: "#faces" }, "Faces"), ".");
  const choice = h("select", { "aria-label": `Face for ${baseName(job.target)}` },
    faces.map((face) => h("option", { value: face.name }, face.name)));
  return h("span", { class: "assign" }, choice, button("Use this face", () => assign(job, choice.value), { class: "button small" }));
}

/** A row of the list: `element` and `update(job)`. */
export function jobRow() {
  const element = h("li", { class: "job" });
  let shown = "";
  return {
    element,
    update(job) {
      const faces = job.state === "parked" ? (status()?.faces ?? []).map((face) => face.name).join("/") : "";
      const told = JSON.stringify({ ...job, progress: 0, phase: null, seconds_left: null }) + faces + usualInbox(job);
      if (told !== shown) draw(element, job);
      shown = told;
      const time = element.querySelector("time");
      say(time, ago(Number(time.dataset.at)));
      const bar = element.querySelector("progress");
      if (bar) bar.value = job.progress;
    },
  };
}

function draw(element, job) {
  // Somebody who chooses a face or stands on a button of this row goes on there.
  const inside = element.contains(document.activeElement) ? document.activeElement : null;
  const place = inside ? [...element.querySelectorAll("a, button, select")].indexOf(inside) : -1;
  const at = job.finished_at ?? job.started_at ?? job.created_at;
  element.className = `job ${job.state}`;
  fill(element,
    thumbnail(job, job.state === "succeeded" ? "output" : "target"),
    h("div", { class: "job-text" },
      h("a", { class: "job-name", href: `#job/${job.id}`, title: job.target }, baseName(job.target)),
      h("p", { class: "job-facts" }, facts(job), " · ", h("time", { datetime: new Date(at * 1000).toISOString(), title: moment(at), "data-at": at })),
      job.reason && h("p", { class: "reason" }, prose(job.reason)),
      ["failed", "parked"].includes(job.state) && job.advice && job.category !== "needs_face" && h("p", { class: "advice" }, prose(job.advice)),
      assigning(job),
      job.state === "running" && bar(job)),
    h("span", { class: `chip ${job.state}` }, STATE_WORDS[job.state] ?? job.state),
    h("div", { class: "job-actions" }, actions(job, { small: true })),
  );
  if (place >= 0) element.querySelectorAll("a, button, select")[place]?.focus({ preventScroll: true });
}

/** The first inbox, which is not worth a word; before a status is known, whichever it is. */
const usualInbox = (job) => status()?.inboxes[0]?.name ?? job.inbox;

export function facts(job) {
  const name = faceName(job.face) || "no face yet";
  return [name === job.face ? `face ${name}` : name, job.preset, job.inbox && job.inbox !== usualInbox(job) && `inbox ${job.inbox}`, job.attempt > 1 && `attempt ${job.attempt}`, job.priority !== 0 && `priority ${job.priority}`]
    .filter(Boolean).join(" · ");
}

function bar(job) {
  return h("progress", { max: 1, value: job.progress, "aria-label": `Progress of ${baseName(job.target)}` });
}

/** The card of a running job: `element` and `update(job)`. */
export function runningCard(job) {
  const progress = bar(job), part = h("span", { class: "part" }), phase = h("span"), speed = h("span"), rest = h("span");
  const line = h("span", { class: "job-facts" }), buttons = h("div", { class: "job-actions" });
  const element = h("li", { class: "card running-card" },
    thumbnail(job),
    h("div", { class: "job-text" },
      h("div", { class: "spread" }, h("a", { class: "job-name", href: `#job/${job.id}`, title: job.target }, baseName(job.target)), part),
      progress,
      h("div", { class: "measures" }, phase, speed, rest, line)),
    buttons);
  let cancelling = null;
  return {
    element,
    update(now) {
      progress.value = now.progress;
      say(part, percent(now.progress));
      say(phase, now.phase ?? "begins");
      const rate = frameRate(now);
      say(speed, rate === null ? "" : `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} frames/s`);
      say(rest, now.seconds_left === null ? "" : `${duration(now.seconds_left)} left`);
      say(line, `${facts(now)}${now.frames > 1 ? ` · ${count(now.frames, "frame")}` : ""}`);
      if (cancelling !== now.cancel_requested) fill(buttons, actions(now, { small: true }));
      cancelling = now.cancel_requested;
    },
  };
}
