// The queue: what runs, what comes next and why it waits, and all jobs by state, a page of them at a time.

import { get, post } from "./api.js";
import { order } from "./dialogs.js";
import { button, fill, h, keyed, prose, say } from "./dom.js";
import { icon } from "./icons.js";
import { now, touch } from "./live.js";
import { jobRow, runningCard } from "./rows.js";
import { status } from "./status.js";
import { STATES, STATE_WORDS, baseName, faceName } from "./words.js";

const PAGE = 50, MOST = 500; // jobs that are shown at first, and of one answer at most
const TABS = [["", "All"], ...STATES.map((state) => [state, STATE_WORDS[state]])];

let chosen = "", text = "", jobs = [], next = null, wanted = PAGE, answered = false, asked = 0, running = [];

const runningList = h("ul", { class: "cards", "aria-label": "Running jobs" });
const runningPart = h("section", { "aria-labelledby": "running-title" }, h("h2", { id: "running-title" }, "Running now"), runningList);
const waitingList = h("ol", { class: "next", "aria-label": "Next jobs, in order" });
const waitingPart = h("section", { "aria-labelledby": "waiting-title" }, h("h2", { id: "waiting-title" }, "Next, in order"), waitingList);
const notesList = h("ul", { class: "notes" });
const notesPart = h("section", { "aria-labelledby": "notes-title" }, h("h2", { id: "notes-title" }, "Files on their way"), notesList);
const tabs = h("div", { class: "filters", role: "group", "aria-label": "Show jobs by state" });
const search = h("input", { type: "search", id: "search", placeholder: "Search by name", "aria-label": "Search jobs by the name of the target", "aria-keyshortcuts": "/", autocomplete: "off", spellcheck: "false" });
const retryAll = button("Retry all failed", async () => { await order(() => post("/api/retry")); await now("status", "jobs"); }, { class: "button small", hidden: true });
const list = h("ul", { class: "jobs", id: "jobs", "aria-label": "Jobs" });
const empty = h("div", { class: "empty", hidden: true });
const more = button("Show more", showMore, { class: "button wide", hidden: true });
const summary = h("p", { class: "list-end" });
let upload = () => {};

export function makeQueue(openUpload) {
  upload = openUpload;
  for (const [state, words] of TABS) {
    tabs.append(h("button", { type: "button", class: "filter", "data-state": state, "aria-pressed": String(state === chosen), onclick: () => choose(state) },
      h("span", null, words), h("span", { class: "number" })));
  }
  let typing = null;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => { text = search.value.trim(); wanted = PAGE; answered = false; askJobs(); }, 250);
  });
  fill(document.getElementById("view-queue"), runningPart, waitingPart, notesPart,
    h("section", { "aria-labelledby": "jobs-title" },
      h("div", { class: "list-head" }, h("h2", { id: "jobs-title" }, "Jobs"), h("label", { class: "search" }, icon("search"), search)),
      h("div", { class: "filter-line" }, tabs, retryAll),
      empty, list, more, summary));
  runningPart.hidden = waitingPart.hidden = notesPart.hidden = true;
}

export function showQueue(now) {
  running = now.running;
  showRunning();
  keyed(list, jobs, (job) => job.id, jobRow); // their times, and the faces that a parked one may get
  keyed(waitingList, now.waiting, (job) => job.id, nextRow);
  waitingPart.hidden = !now.waiting.length;
  const notes = [...now.arriving.map((one) => ({ ...one, sort: "arrives" })), ...now.skipped.map((one) => ({ ...one, sort: "left out" }))];
  keyed(notesList, notes, (one) => `${one.sort}/${one.path}`, noteRow);
  notesPart.hidden = !notes.length;
  for (const tab of tabs.children) {
    const state = tab.dataset.state;
    const number = state ? now.counts[state] ?? 0 : Object.values(now.counts).reduce((sum, one) => sum + one, 0);
    say(tab.lastElementChild, number.toLocaleString());
    tab.classList.toggle("none", number === 0);
  }
  retryAll.hidden = !(chosen === "failed" && (now.counts.failed ?? 0) > 1);
  showEmpty();
}

function showRunning() {
  keyed(runningList, running, (job) => job.id, runningCard);
  runningPart.hidden = !running.length;
}

/** What the stream tells once a second of those that run. */
export function showProgress(courses) {
  const by = new Map(courses.map((one) => [one.id, one]));
  const newer = (job) => {
    const one = by.get(job.id);
    return one ? { ...job, progress: one.progress, phase: one.phase, seconds_left: one.remaining } : job;
  };
  running = running.map(newer);
  showRunning();
  if (jobs.some((job) => by.has(job.id) && job.state === "running")) {
    jobs = jobs.map((job) => (job.state === "running" ? newer(job) : job));
    keyed(list, jobs, (job) => job.id, jobRow);
  }
  if (courses.some((one) => !running.some((job) => job.id === one.id))) touch("status");
}

function nextRow(first) {
  const name = h("a", { class: "job-name", href: `#job/${first.id}`, title: first.target }, baseName(first.target));
  const facts = h("span", { class: "muted" }), why = h("p", { class: "reason" });
  let told = null;
  return {
    element: h("li", null, h("div", null, name, " ", facts), why),
    update(job) {
      say(facts, `${faceName(job.face)} · ${job.preset}${job.priority ? ` · priority ${job.priority}` : ""}`);
      if (job.reason !== told) fill(why, prose(job.reason));
      told = job.reason;
    },
  };
}

function noteRow(first) {
  const why = h("span", { class: "reason" });
  return {
    element: h("li", null, h("span", { class: "chip quiet" }, first.sort), " ", h("span", { class: "job-name", title: first.path }, baseName(first.path)), " ", why),
    update: (one) => say(why, one.reason),
  };
}

function choose(state) {
  chosen = state;
  for (const tab of tabs.children) tab.setAttribute("aria-pressed", String(tab.dataset.state === state));
  jobs = [];
  next = null;
  wanted = PAGE;
  answered = false;
  if (status()) showQueue(status());
  askJobs();
}

function query(limit, before) {
  const words = new URLSearchParams({ limit: String(limit) });
  if (chosen) words.append("state", chosen);
  if (text) words.append("text", text);
  if (before !== null) words.append("before", String(before));
  return `/api/jobs?${words}`;
}

/** Ask for what is shown: as many as were wanted. Of a very long list the older part stays as it was. */
export async function askJobs() {
  const mine = ++asked;
  const fresh = !answered;
  try {
    const first = await get(query(Math.min(MOST, wanted), null));
    if (mine !== asked) return;
    const last = first.jobs.at(-1)?.id, more = first.next ?? null;
    const older = fresh || more === null ? [] : jobs.filter((job) => job.id < last);
    jobs = first.jobs.concat(older);
    if (!older.length) next = more;
    answered = true;
    showJobs(first.total);
    while (next !== null && jobs.length < wanted) {
      const further = await get(query(Math.min(MOST, wanted - jobs.length), next));
      if (mine !== asked) return;
      jobs = jobs.concat(further.jobs);
      next = further.next ?? null;
      showJobs(further.total);
    }
  } catch (error) {
    if (mine === asked && error.status >= 400 && error.status !== 401) say(summary, error.message);
  }
}

async function showMore() {
  const before = jobs.length;
  wanted = before + PAGE;
  await askJobs();
  const first = jobs[before];
  if (first) list.querySelector(`a[href="#job/${first.id}"]`)?.focus();
}

function showJobs(total) {
  keyed(list, jobs, (job) => job.id, jobRow);
  more.hidden = next === null;
  say(summary, jobs.length ? `${jobs.length.toLocaleString()} of ${Math.max(total ?? 0, jobs.length).toLocaleString()}` : "");
  showEmpty();
}

let drawn = null;

function showEmpty() {
  const bare = answered && !jobs.length;
  empty.hidden = !bare;
  list.hidden = bare;
  if (!bare || !status()) return;
  const all = Object.values(status().counts).reduce((sum, one) => sum + one, 0);
  const kind = all ? `none/${chosen}/${text}` : `begin/${status().faces.length > 0}`;
  if (kind === drawn) return;
  drawn = kind;
  if (all) return fill(empty, h("p", null, text ? `No job's target is called like “${text}”${chosen ? ` here` : ""}.` : `No job is ${STATE_WORDS[chosen]?.toLowerCase() ?? "here"}.`));
  fill(empty,
    h("div", { class: "empty-mark" }, icon("upload")),
    h("h3", null, "Nothing here yet"),
    h("p", null, status().faces.length
      ? "Upload a video or an image, or drop it into an inbox folder on the daemon's machine. Everything after that happens by itself."
      : "First a face: one or more photos of one person who agreed to it. Then a video or an image to put it into."),
    h("div", { class: "row-centre" },
      !status().faces.length && h("a", { class: "button", href: "#faces" }, icon("face"), h("span", null, "Add a face")),
      button([icon("upload"), h("span", null, "Upload a target")], () => upload(), { class: "button main" })),
    h("p", { class: "muted" }, "Or on that machine: ", h("code", null, `${status().folder}/inbox/NAME/clip.mp4`)));
}

/** Move the focus among the jobs of the list, whose rows stay when their jobs go on: 1 for down, -1 for up. */
export function step(by) {
  const names = [...list.querySelectorAll("a.job-name")];
  const at = names.indexOf(document.activeElement.closest("li")?.querySelector("a.job-name"));
  const target = names[at < 0 ? (by > 0 ? 0 : names.length - 1) : Math.max(0, Math.min(names.length - 1, at + by))];
  target?.focus();
  target?.scrollIntoView({ block: "nearest" });
}
