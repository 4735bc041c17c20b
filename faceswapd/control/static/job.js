// One job, in a panel at the side: what it is, before and after, its attempts with their logs, its history.

import { get } from "./api.js";
import { comparison } from "./compare.js";
import { panel } from "./dialogs.js";
import { button, fill, h, prose, say } from "./dom.js";
import { actions, assigning, facts, prioritise, thumbnail } from "./rows.js";
import { STATE_WORDS, baseName, count, duration, frameRate, moment, percent } from "./words.js";

const LOG_SHOWN = 20_000; // characters

let open = null; // { number, shown: panel, parts..., told }

export const isOpen = () => open !== null;

export function closeJob() {
  open?.shown.close();
}

/** Open the panel of a job; `closed` is called when it has gone. */
export function openJob(number, closed) {
  if (open?.number === number) return;
  closeJob();
  const mine = { number, told: "", media: "", shown: null, said: 0, execution: 0, asking: false };
  mine.shown = panel("job-panel", `Job ${number}`, () => {
    if (open === mine) open = null;
    closed();
  });
  mine.parts = {
    head: h("div", { class: "job-head" }), media: h("div"), progress: h("div"), facts: h("dl", { class: "facts" }),
    saying: h("section"), attempts: h("section"), history: h("section"),
  };
  fill(mine.shown.body, h("p", { class: "wait" }, "Asking the daemon …"));
  open = mine;
  void askJob();
}

export async function askJob() {
  const mine = open;
  if (!mine) return;
  let detail;
  try {
    detail = await get(`/api/jobs/${mine.number}`);
  } catch (error) {
    if (open === mine && !mine.told) fill(mine.shown.body, h("p", { class: "reason bad" }, prose(error.message)));
    return;
  }
  if (open !== mine) return;
  if (!mine.told) fill(mine.shown.body, ...Object.values(mine.parts));
  const told = JSON.stringify({ ...detail, job: { ...detail.job, progress: 0, phase: null, seconds_left: null } });
  if (told !== mine.told) draw(mine, detail);
  mine.told = told;
  mine.job = detail.job;
  showProgress(mine, detail.job);
}

export function showJobProgress(courses) {
  const one = courses.find((course) => course.id === open?.number);
  if (one && open.job) showProgress(open, { ...open.job, progress: one.progress, phase: one.phase, seconds_left: one.remaining });
}

function draw(mine, detail) {
  const { job } = detail, { parts } = mine;
  mine.shown.retitle(baseName(job.target), " ", h("span", { class: `chip ${job.state}` }, STATE_WORDS[job.state] ?? job.state));
  fill(parts.head,
    job.reason && h("p", { class: job.state === "failed" ? "reason bad" : "reason" }, prose(job.reason)),
    job.advice && h("p", { class: "advice" }, prose(job.advice)),
    assigning(job),
    h("div", { class: "row-start" }, actions(job), job.state === "queued" && priority(job)));
  const media = `${job.state === "succeeded"}/${job.output}`;
  if (media !== mine.media) {
    fill(parts.media, job.state === "succeeded" ? comparison(job) : h("div", { class: "big-thumb" }, thumbnail(job)));
    mine.media = media;
  }
  const rows = [
    ["Target", job.target], ["Output", job.output], ["Face", job.face && `${job.face}${detail.rule ? ` (${detail.rule})` : ""}`],
    ["Preset", job.preset], ["Asked besides", detail.asked.join("; ")], ["Inbox", job.inbox || "none: it was submitted"],
    ["Priority", String(job.priority)], ["Length", job.frames > 1 && count(job.frames, "frame")], ["Came", moment(job.created_at)],
    ["Not before", job.not_before && moment(job.not_before)], ["Started", job.started_at && moment(job.started_at)],
    ["Ended", job.finished_at && moment(job.finished_at)],
    ["Took", job.finished_at && job.started_at && duration(job.finished_at - job.started_at)],
    ["Category", ["failed", "parked"].includes(job.state) && job.category],
  ];
  fill(parts.facts, rows.filter(([, value]) => value).map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));
  fill(parts.attempts, detail.executions.length ? [h("h3", null, "Attempts"), detail.executions.map(attempt)] : []);
  fill(parts.history, h("h3", null, "History"), h("ol", { class: "history" }, detail.events.map((event) => h("li", null,
    h("time", { datetime: new Date(event.at * 1000).toISOString() }, moment(event.at)), h("b", null, event.kind), h("span", null, prose(event.text))))));
}

function attempt(one) {
  const took = one.finished_at ? duration(one.finished_at - one.started_at) : "under way";
  const speed = one.frames && one.seconds ? `, ${(one.frames / one.seconds).toFixed(1)} frames/s` : "";
  return h("details", { class: "attempt", open: one.outcome === "failed" },
    h("summary", null, `Attempt ${one.attempt}: ${one.outcome ?? "running"}`, h("span", { class: "muted" }, ` ${one.engine}, ${took}${speed}`)),
    one.sentence && h("p", { class: "reason" }, prose(one.sentence)),
    one.log.length ? h("pre", { class: "log", tabindex: "0", "aria-label": `Log of attempt ${one.attempt}` }, one.log.join("\n")) : h("p", { class: "muted" }, "It left no log."));
}

function priority(job) {
  const field = h("input", { type: "number", min: -100, max: 100, step: 1, value: job.priority, "aria-label": "Priority, from -100 to 100; higher goes first" });
  return h("span", { class: "assign" }, h("span", { class: "muted" }, "Priority"), field,
    button("Set", () => field.reportValidity() && prioritise(job, Number(field.value)), { class: "button small" }));
}

/** What the engine says while it runs, read on from where we were. */
async function askLog(mine) {
  if (mine.asking) return;
  mine.asking = true;
  try {
    const said = await get(`/api/jobs/${mine.number}/log?after=${mine.said}&execution=${mine.execution}`);
    const { saying } = mine.parts, goesOn = said.execution === mine.execution && said.start <= mine.said;
    const text = ((goesOn ? saying.lastChild?.textContent ?? "" : "") + said.text).slice(-LOG_SHOWN);
    [mine.said, mine.execution] = [said.next, said.execution ?? 0];
    if (open !== mine || !said.running) return fill(saying); // when it has ended, its attempt tells
    if (!text) return;
    if (!saying.firstChild) fill(saying, h("h3", null, "What the engine says"), h("pre", { class: "log", tabindex: "0", "aria-label": "What the engine says" }));
    const log = saying.lastChild, below = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
    say(log, text);
    if (below) log.scrollTop = log.scrollHeight;
  } catch { /* the page goes without it */ } finally {
    mine.asking = false;
  }
}

function showProgress(mine, job) {
  const { progress, saying } = mine.parts;
  if (job.state !== "running") {
    fill(saying);
    return fill(progress);
  }
  void askLog(mine);
  if (!progress.firstChild) {
    fill(progress, h("progress", { max: 1, "aria-label": "Progress" }), h("p", { class: "measures" }));
  }
  progress.firstChild.value = job.progress;
  const rate = frameRate(job);
  say(progress.lastChild, [percent(job.progress), job.phase, rate !== null && `${rate.toFixed(1)} frames/s`,
    job.seconds_left !== null && `${duration(job.seconds_left)} left`].filter(Boolean).join(" · "));
}
