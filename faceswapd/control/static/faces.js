// The faces, with their photos.

import { get, post, remove } from "./api.js";
import { ask, order, toast } from "./dialogs.js";
import { button, fill, h, keyed, prose, say } from "./dom.js";
import { icon } from "./icons.js";
import { now, touch } from "./live.js";
import { count, inPath } from "./words.js";

const SHOWN = 8; // photos of a face

const list = h("ul", { class: "cards faces" }), empty = h("p", { class: "empty", hidden: true });
const trouble = h("p", { class: "reason bad" }), without = h("p", { class: "muted" });
const name = h("input", { type: "text", id: "face-name", required: true, maxlength: 100, autocomplete: "off", spellcheck: "false", placeholder: "alice" });
const photos = h("input", { type: "file", id: "face-photos", multiple: true, accept: "image/*" });
const complaint = h("p", { class: "reason bad", role: "alert" });

export function makeFaces() {
  const form = h("form", { class: "card face-form", onsubmit: (event) => { event.preventDefault(); void addFace(); } },
    h("h2", null, "Add a face"),
    h("p", { class: "muted" }, "One person, one name; the more photos, the better the choice. Only people who agreed to it."),
    h("div", { class: "fields" },
      h("div", { class: "field" }, h("label", { for: "face-name" }, "Name"), name),
      h("div", { class: "field" }, h("label", { for: "face-photos" }, "Photos"), photos)),
    complaint, h("div", { class: "row-end" }, h("button", { type: "submit", class: "button main" }, icon("plus"), h("span", null, "Add"))));
  fill(document.getElementById("view-faces"), h("h1", { class: "view-title" }, "Faces"), trouble, empty, list, without, form);
}

async function addFace() {
  say(complaint, "");
  if (!name.value.trim()) return say(complaint, "Give the face a name.");
  if (!photos.files.length) return say(complaint, "Choose one or more photos.");
  if (await addPhotos(name.value.trim(), photos.files)) {
    name.value = "";
    photos.value = "";
  }
}

async function addPhotos(face, files) {
  const form = new FormData();
  for (const file of files) form.append("photo", file, file.name);
  try {
    const done = await post(`/api/faces/${inPath(face)}`, form);
    toast(done?.text ?? `${count(files.length, "photo")} added to ${face}.`);
  } catch (error) {
    say(complaint, error.message);
    toast(error.message, { bad: true });
    return false;
  }
  await look();
  return true;
}

/** The daemon looks into its folder in a moment. */
async function look() {
  for (const seconds of [1, 4]) setTimeout(() => touch("faces", "status"), seconds * 1000);
  await now("faces", "status");
}

export async function askFaces() {
  let answer;
  try {
    answer = await get("/api/faces");
  } catch {
    return; // the connection's own words tell it
  }
  const there = (face) => face.photo_count > 0 || face.waiting > 0;
  const faces = answer.faces.filter(there), gone = answer.faces.filter((face) => !there(face));
  keyed(list, faces, (face) => face.name, faceCard);
  say(trouble, answer.problem);
  empty.hidden = faces.length > 0;
  say(empty, `There is no face yet. Add one here, or put a folder with photos into ${answer.folder} on the daemon's machine.`);
  say(without, gone.length ? `Without a photo: ${gone.map((face) => face.name).join(", ")}.` : "");
}

function faceCard(first) {
  const facts = h("p", { class: "muted" }), problem = h("p", { class: "reason bad" }), pictures = h("div", { class: "photos" });
  const choose = h("input", { type: "file", multiple: true, accept: "image/*", class: "unseen", "aria-label": `Add photos to ${first.name}` });
  choose.addEventListener("change", async () => { await addPhotos(first.name, choose.files); choose.value = ""; });
  const element = h("li", { class: "card face" },
    h("div", { class: "spread" }, h("h2", null, first.name), facts), pictures, problem,
    h("div", { class: "row-start" },
      h("label", { class: "button small" }, choose, icon("plus"), h("span", null, "Add photos")),
      button([icon("bin"), h("span", null, "Delete")], () => drop(first.name), { class: "button small quiet", "aria-label": `Delete ${first.name}` })));
  let told = "";
  return {
    element,
    update(face) {
      const next = JSON.stringify(face);
      if (next === told) return;
      told = next;
      say(facts, `${count(face.photo_count, "photo")}, ${count(face.jobs, "job")}`);
      fill(problem, prose(face.problem));
      problem.hidden = !face.problem;
      const shown = face.photos.slice(0, SHOWN);
      fill(pictures, shown.map((photo) => picture(face.name, photo)), !shown.length && h("span", { class: "thumb" }, icon("face")),
        face.photo_count > shown.length && h("span", { class: "muted" }, `and ${face.photo_count - shown.length} more`));
    },
  };
}

function picture(face, photo) {
  const frame = h("span", { class: "thumb", title: photo }, icon("face"));
  const shown = h("img", { src: `/api/faces/${inPath(face)}/photos/${inPath(photo)}`, alt: `Photo ${photo} of ${face}`, loading: "lazy", decoding: "async" });
  shown.addEventListener("load", () => frame.classList.add("there"));
  shown.addEventListener("error", () => shown.remove());
  frame.append(shown);
  return frame;
}

async function drop(face) {
  if (!(await ask(`Delete the face ${face}?`, `All photos of ${face} are deleted. Results that were made with them stay.`, "Delete the face"))) return;
  await order(() => remove(`/api/faces/${inPath(face)}`));
  await look();
}
