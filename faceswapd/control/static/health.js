// How the machine is, and what holds the queue.

import { get } from "./api.js";
import { chart } from "./chart.js";
import { fill, h, prose } from "./dom.js";
import { icon } from "./icons.js";
import { bytes, clock, count, duration } from "./words.js";

const percentage = (value) => `${Math.round(value)} %`;

const checks = h("ul", { class: "checks", "aria-label": "What lets jobs start" });
const meters = h("div", { class: "cards meters" });
const charts = [
  ["cpu_percent", chart("CPU, everybody", percentage, 100)],
  ["cpu_percent_of_others", chart("CPU, other programs", percentage, 100)],
  ["memory_free", chart("Free memory", bytes)],
  ["disk_free", chart("Free on the fullest disk", bytes)],
  ["gpu_free", chart("Free on the fullest GPU", bytes)],
  ["frames_per_second", chart("Frames a second", (value) => value.toFixed(1))],
  ["queued", chart("Waiting jobs", (value) => String(Math.round(value)))],
  ["temperature", chart("Temperature", (value) => `${Math.round(value)} °C`)],
];
const history = h("section", { "aria-labelledby": "history-title", hidden: true }, h("h2", { id: "history-title" }, "The last 24 hours"),
  h("div", { class: "cards charts" }, charts.map(([, one]) => one.element)));

export function makeHealth() {
  fill(document.getElementById("view-health"), h("h1", { class: "view-title" }, "Health"), checks, meters, history);
}

export async function askHealth() {
  let health;
  try {
    health = await get("/api/health");
  } catch {
    return; // the connection's own words tell it
  }
  const { gate, breaker, pause, reading } = health;
  fill(checks,
    check(gate.open, gate.open ? "The machine has room for new jobs." : gate.why.map((held) => `${held.reason} (${held.reading}, limit ${held.limit})`).join(" "), gate.since && `since ${clock(gate.since)}`),
    check(!breaker.held, breaker.held ? `${breaker.why ?? ""} ${breaker.advice ?? ""}`.trim() : "The surroundings are in order.", breaker.held && breaker.next_try_in !== null && `next try in ${duration(breaker.next_try_in)}`),
    check(!pause.daemon, pause.daemon ? "The daemon is paused." : "The daemon is not paused.", pause.inboxes.length ? `paused inboxes: ${pause.inboxes.join(", ")}` : ""),
    check(!health.silent.length, health.silent.length ? `These loops do not answer: ${health.silent.join(", ")}.` : `All ${count(Object.keys(health.beats).length, "loop")} live.`),
    check(!health.ledger.full, health.ledger.full ? "The ledger's disk is full: nothing can be written." : `The ledger has ${bytes(health.ledger.size)}.`),
    check(true, `Engine ${health.engine.name}${health.engine.version ? ` ${health.engine.version}` : ""}. ${health.engine.why}`),
    health.slots.map((slot) => check(true, `Slot ${slot.number} on ${slot.device}: ${slot.jobs.length ? `job ${slot.jobs.join(", ")}` : "free"}.`, slot.level ?? "")));
  fill(meters, reading ? metersOf(reading, health.limits) : h("p", { class: "muted" }, "Nothing has been read yet."));
  for (const [name, one] of charts) one.show(health.history.map((moment) => [moment.at, moment[name]]), health.now);
  history.hidden = charts.every(([, one]) => one.element.hidden);
}

function check(well, text, aside = "") {
  return h("li", { class: well ? "well" : "ill" }, icon(well ? "check" : "warn"), h("span", null, prose(text), aside && h("span", { class: "muted" }, ` ${aside}`)));
}

/** A bar with words; `part` 0 to 1, or null where no whole is known. */
function meter(title, words, part, aside = "") {
  return h("div", { class: "card meter-card" }, h("h3", null, title), h("p", { class: "meter-value" }, words),
    part !== null && h("meter", { min: 0, max: 1, high: 0.9, optimum: 0, value: part, "aria-label": `${title}: ${words}` }), aside && h("p", { class: "muted" }, aside));
}

function metersOf(reading, limits) {
  const made = [];
  const cpu = reading.cpu_percent ?? reading.cpu_percent_of_others;
  made.push(meter("CPU", percentage(cpu), cpu / 100, `other programs ${percentage(reading.cpu_percent_of_others)}${limits.cpu_percent ? `, limit ${percentage(limits.cpu_percent)}` : ""}`));
  made.push(meter("Memory", `${bytes(reading.memory_free)} free`, reading.memory ? 1 - reading.memory_free / reading.memory : null, reading.memory ? `of ${bytes(reading.memory)}` : ""));
  if (reading.swap) made.push(meter("Swap", `${bytes(reading.swap_used)} used`, reading.swap_used / reading.swap, `of ${bytes(reading.swap)}`));
  for (const gpu of reading.gpus) made.push(meter(`GPU ${gpu.name}`, `${bytes(gpu.free)} free`, 1 - gpu.free / gpu.total, `of ${bytes(gpu.total)}${gpu.busy_percent === null ? "" : `, busy ${percentage(gpu.busy_percent)}`}`));
  for (const folder of reading.folders) {
    made.push(meter(`Disk: ${folder.name}`, folder.problem ?? `${bytes(folder.free)} free`, null, `${folder.path}${folder.wanted ? `; ${bytes(folder.wanted)} must be free` : ""}`));
  }
  if (reading.temperature !== null) made.push(meter("Temperature", `${Math.round(reading.temperature)} °C`, null));
  if (reading.on_battery) made.push(meter("Battery", reading.battery_percent === null ? "in use" : percentage(reading.battery_percent), null, "the machine runs on it"));
  return made;
}
