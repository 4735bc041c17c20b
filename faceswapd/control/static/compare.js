// Before and after, one over the other: a slider says how much of each is seen. Of videos both run together.

import { fill, h, say } from "./dom.js";
import { icon } from "./icons.js";

const DRIFT = 0.06; // seconds by which two videos may differ before one is moved

/** The comparison of a succeeded job. */
export function comparison(job) {
  const paths = { before: `/api/jobs/${job.id}/target`, after: `/api/jobs/${job.id}/output` };
  const note = h("p", { class: "muted compare-note" });
  const make = job.kind === "image" ? picture : film;
  const before = make(paths.before, "Before: the target"), after = make(paths.after, "After: the output");
  const over = h("div", { class: "compare-over" }, before);
  const stage = h("div", { class: "compare-stage" }, after, over,
    h("span", { class: "compare-tag left" }, "Before"), h("span", { class: "compare-tag right" }, "After"), h("span", { class: "compare-line", "aria-hidden": "true" }));
  const slider = h("input", { type: "range", min: 0, max: 100, step: 1, value: 50, class: "compare-slider", "aria-label": "How much of the picture is before; the rest is after" });
  const cut = () => {
    stage.style.setProperty("--cut", `${slider.value}%`);
    slider.setAttribute("aria-valuetext", `${slider.value} % before`);
  };
  slider.addEventListener("input", cut);
  cut();
  const missing = (what) => () => say(note, `${what} cannot be shown here: it is gone, or of a kind that this browser does not play. Download it instead.`);
  before.addEventListener("error", missing("The target"));
  after.addEventListener("error", missing("The output"));
  const frame = h("figure", { class: "compare", "aria-label": "Before and after" }, stage, slider);
  if (job.kind !== "image") frame.append(player(before, after, note));
  frame.append(note);
  return frame;
}

function picture(path, words) {
  return h("img", { src: path, alt: words, decoding: "async" });
}

function film(path, words) {
  const made = h("video", { src: path, preload: "metadata", playsinline: true, loop: true, "aria-label": words });
  made.muted = true;
  return made;
}

/** One set of controls for both: the output leads, and the target follows it. */
function player(before, after, note) {
  const play = h("button", { type: "button", class: "icon-button" }), sound = h("button", { type: "button", class: "icon-button" });
  const place = h("input", { type: "range", min: 0, max: 1, step: "any", value: 0, "aria-label": "Place in the video" });
  const time = h("span", { class: "measures" });
  const named = (control, name, words) => {
    fill(control, icon(name));
    control.setAttribute("aria-label", words);
    control.title = words;
  };
  const length = () => (Number.isFinite(after.duration) ? after.duration : 0);
  const follow = () => {
    if (Number.isFinite(before.duration) && !before.seeking) {
      const wanted = Math.min(after.currentTime, before.duration);
      if (Math.abs(before.currentTime - wanted) > (after.paused ? 0.001 : DRIFT)) before.currentTime = wanted;
    }
    place.value = String(length() ? after.currentTime / length() : 0);
    place.setAttribute("aria-valuetext", `${after.currentTime.toFixed(1)} of ${length().toFixed(1)} seconds`);
    say(time, `${after.currentTime.toFixed(1)} / ${length().toFixed(1)} s`);
  };
  const tick = () => {
    if (!after.isConnected) return after.pause();
    follow();
    if (!after.paused) requestAnimationFrame(tick);
  };
  play.addEventListener("click", () => (after.paused ? after.play().catch(() => {}) : after.pause()));
  after.addEventListener("play", () => { named(play, "pause", "Pause both"); before.play().catch(() => {}); requestAnimationFrame(tick); });
  after.addEventListener("pause", () => { named(play, "play", "Play both"); before.pause(); follow(); });
  for (const event of ["seeked", "loadedmetadata", "timeupdate"]) after.addEventListener(event, follow);
  before.addEventListener("loadedmetadata", () => {
    follow();
    if (length() && Math.abs(before.duration - length()) > 1) say(note, "The output is not as long as the target: only a part was asked for, or it plays at another speed. They start together.");
  });
  place.addEventListener("input", () => { after.currentTime = Number(place.value) * length(); });
  sound.addEventListener("click", () => {
    after.muted = !after.muted;
    named(sound, after.muted ? "mute" : "sound", after.muted ? "Sound is off: turn it on" : "Sound is on: turn it off");
  });
  named(play, "play", "Play both");
  named(sound, "mute", "Sound is off: turn it on");
  follow();
  return h("div", { class: "player" }, play, place, time, sound);
}
