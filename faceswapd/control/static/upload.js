// Upload: files one after the other, each with its progress, while the page goes on.

import { get, refusal } from "./api.js";
import { panel, toast } from "./dialogs.js";
import { button, fill, h, keyed, say } from "./dom.js";
import { icon } from "./icons.js";
import { touch } from "./live.js";
import { status } from "./status.js";
import { bytes, count, percent } from "./words.js";

const KINDS = "video/*,image/*,.mkv,.mxf,.avi,.wmv,.m4v,.mov,.webm,.tiff,.bmp";
const WORDS = { waits: "waits", sends: "sends", done: "done", failed: "failed", stopped: "stopped" };

let files = [], number = 0, sending = null, shown = null, presets = [];
const list = h("ul", { class: "uploads", "aria-label": "Files to upload" });
const chip = h("button", { type: "button", class: "upload-chip", hidden: true, onclick: () => openUpload() });

/** Files that are dropped anywhere on the page are taken. */
export function makeUpload() {
  document.body.append(chip);
  const veil = h("div", { class: "veil", hidden: true }, h("p", null, icon("upload"), "Drop the targets here"));
  document.body.append(veil);
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  let depth = 0;
  addEventListener("dragenter", (event) => { if (carries(event)) { depth += 1; veil.hidden = shown !== null; event.preventDefault(); } });
  addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); if (!depth) veil.hidden = true; });
  addEventListener("dragover", (event) => { if (carries(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    depth = 0;
    veil.hidden = true;
    if (!carries(event)) return;
    event.preventDefault();
    if (event.dataTransfer.files.length && !event.target.closest?.("[data-own-drop]")) openUpload(event.dataTransfer.files);
  });
  addEventListener("beforeunload", (event) => { if (sending) event.preventDefault(); });
}

/** Open the panel, with files that were chosen already. */
export function openUpload(chosen = []) {
  if (!shown) draw();
  add(chosen);
}

async function draw() {
  const faces = (status()?.faces ?? []).filter((face) => !face.problem);
  const targets = h("input", { type: "file", id: "targets", multiple: true, accept: KINDS, class: "unseen" });
  targets.addEventListener("change", () => { add(targets.files); targets.value = ""; });
  const zone = h("label", { class: "drop", for: "targets" }, icon("upload"), h("b", null, "Drop videos or images here"), h("span", { class: "muted" }, "or choose them"));
  const face = h("select", { id: "upload-face" }, faces.map((one) => h("option", { value: one.name }, one.name)), h("option", { value: "" }, "Photos that I choose now …"));
  const photos = h("input", { type: "file", id: "upload-photos", multiple: true, accept: "image/*" });
  const photosField = h("div", { class: "field" }, h("label", { for: "upload-photos" }, "Photos of the one person"), photos);
  const preset = h("select", { id: "upload-preset" });
  const priority = h("input", { type: "number", id: "upload-priority", min: -100, max: 100, step: 1, value: 0 });
  const complaint = h("p", { class: "reason bad", role: "alert" });
  const showPhotos = () => { photosField.hidden = face.value !== ""; };
  face.addEventListener("change", showPhotos);
  showPhotos();
  const start = button([icon("upload"), h("span", null, "Start")], () => {
    say(complaint, "");
    if (!files.some((file) => file.state === "waits" && !file.wish)) return say(complaint, "Choose a video or an image first.");
    if (!face.value && !photos.files.length) return say(complaint, "Choose one or more photos of the person.");
    if (!priority.reportValidity()) return;
    for (const file of files) {
      if (file.state === "waits") file.wish ??= { face: face.value, photos: face.value ? [] : [...photos.files], preset: preset.value, priority: priority.value };
    }
    void send();
  }, { class: "button main", id: "start-upload" });
  shown = panel("upload-panel", "Upload", () => { shown = null; tell(); });
  fill(shown.body, targets, zone, list,
    h("div", { class: "fields" },
      h("div", { class: "field" }, h("label", { for: "upload-face" }, "Face"), face), photosField,
      h("div", { class: "field" }, h("label", { for: "upload-preset" }, "Preset"), preset),
      h("div", { class: "field" }, h("label", { for: "upload-priority" }, "Priority (higher goes first)"), priority)),
    complaint, h("div", { class: "row-end" }, h("span", { class: "muted grow" }, "Swap only faces of people who agreed to it."), start));
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", () => zone.classList.remove("over"));
  fill(preset, presetOptions());
  tell();
  if (!presets.length) {
    const answer = await get("/api/presets").catch(() => null);
    presets = answer?.presets ?? [];
    const before = preset.value;
    fill(preset, presetOptions());
    if (before) preset.value = before;
  }
}

function presetOptions() {
  const usual = status()?.inboxes[0]?.preset;
  const named = presets.length ? presets : [...new Set([usual ?? "balanced", "fast", "balanced", "best"])].map((name) => ({ name }));
  return named.map((one) => h("option", { value: one.name, selected: one.name === usual }, one.about ? `${one.name}: ${one.about}` : one.name));
}

function add(chosen) {
  for (const file of chosen) {
    number += 1;
    files.push({ number, file, state: "waits", part: 0, told: "", wish: null, request: null });
  }
  tell();
}

function tell() {
  keyed(list, files, (file) => file.number, row);
  const open = files.filter((file) => ["waits", "sends"].includes(file.state) && file.wish);
  chip.hidden = shown !== null || !open.length;
  if (!chip.hidden) say(chip, `Uploads ${count(open.length, "file")}${sending ? `: ${percent(sending.part)}` : ""}`);
}

function row(first) {
  const bar = h("progress", { max: 1, value: 0, "aria-label": `Upload of ${first.file.name}` }), told = h("span", { class: "upload-told muted" });
  const stop = h("button", { type: "button", class: "icon-button", "aria-label": `Leave out ${first.file.name}`, onclick: () => leaveOut(first) }, icon("close"));
  const again = h("button", { type: "button", class: "icon-button", title: "Once more", "aria-label": `Upload ${first.file.name} once more`, onclick: () => { Object.assign(first, { state: "waits", part: 0, told: "" }); tell(); void send(); } }, icon("retry"));
  const element = h("li", null, h("span", { class: "upload-name" }, first.file.name), h("span", { class: "muted" }, bytes(first.file.size)), told, again, stop, bar);
  return {
    element,
    update(file) {
      element.className = file.state;
      bar.value = file.state === "done" ? 1 : file.part;
      again.hidden = !["failed", "stopped"].includes(file.state) || !file.wish;
      stop.hidden = file.state === "done";
      bar.hidden = !["sends", "done"].includes(file.state);
      if (file.state === "done" && file.job) {
        if (!told.querySelector("a")) fill(told, h("a", { href: `#job/${file.job}`, onclick: () => shown?.close() }, `job ${file.job}`), file.told && ` ${file.told}`);
      } else say(told, file.state === "sends" ? (file.part >= 1 ? "is looked at …" : percent(file.part)) : file.told || WORDS[file.state]);
    },
  };
}

function leaveOut(file) {
  if (file.state === "sends") file.request.abort();
  else files = files.filter((one) => one !== file);
  tell();
}

async function send() {
  if (sending) return;
  for (;;) {
    sending = files.find((file) => file.state === "waits" && file.wish) ?? null;
    if (!sending) break;
    const file = sending;
    try {
      await sendOne(file);
    } catch (error) {
      file.state = error.name === "AbortError" ? "stopped" : "failed";
      file.told = error.name === "AbortError" ? "stopped" : error.message;
      if (file.state === "failed" && !shown) toast(`${file.file.name}: ${error.message}`, { bad: true });
    }
    tell();
    touch();
  }
  tell();
}

function sendOne(file) {
  const { face, photos, preset, priority } = file.wish;
  const form = new FormData();
  if (face) form.append("face", face);
  if (preset) form.append("preset", preset);
  if (priority) form.append("priority", priority);
  for (const photo of photos) form.append("source", photo, photo.name);
  form.append("target", file.file, file.file.name);
  file.state = "sends";
  tell();
  return new Promise((done, fail) => {
    const request = (file.request = new XMLHttpRequest());
    request.open("POST", "/api/process");
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) file.part = event.loaded / event.total;
      tell();
    });
    request.addEventListener("load", () => {
      if (request.status >= 300) return fail(refusal(request.status, request.responseText));
      try {
        const said = JSON.parse(request.responseText);
        file.job = said.job_id;
        file.told = said.status && said.status !== "queued" ? said.status : "";
      } catch { /* it was taken; the queue tells the rest */ }
      file.state = "done";
      done();
    });
    request.addEventListener("error", () => fail(new Error("The connection broke off. Start it once more.")));
    request.addEventListener("abort", () => fail(new DOMException("", "AbortError")));
    request.send(form);
  });
}
