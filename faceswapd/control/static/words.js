// Values as people read them.

export const STATES = ["queued", "running", "parked", "failed", "succeeded", "cancelled"];
export const STATE_WORDS = {
  queued: "Waiting", running: "Running", parked: "Needs you", failed: "Failed", succeeded: "Done", cancelled: "Cancelled",
};

export function baseName(path) {
  return (path ?? "").split("/").pop() || path || "";
}

/** A face as people know it: photos that came with one target have no name that means anything. */
export function faceName(face) {
  return /^photos-[0-9a-f]{9}$/.test(face ?? "") ? "own photos" : face ?? "";
}

/** A duration in words: 48 s, 12 min, 3 h 20 min. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 3600) return `${Math.round(whole / 60)} min`;
  const hours = Math.floor(whole / 3600), minutes = Math.round((whole % 3600) / 60);
  if (hours < 48) return minutes ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return `${Math.round(hours / 24)} days`;
}

/** How long ago, or in how long. */
export function ago(at, now = Date.now() / 1000) {
  const seconds = now - at;
  if (Math.abs(seconds) < 5) return "now";
  const text = Math.abs(seconds) < 60 ? `${Math.round(Math.abs(seconds))} s` : coarse(Math.abs(seconds));
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

function coarse(seconds) {
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} days`;
}

/** A moment in the reader's own time. */
export function moment(at) {
  return new Date(at * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

export function clock(at) {
  return new Date(at * 1000).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
}

/** Bytes: 3.2 GB. */
export function bytes(count) {
  if (count === null || count === undefined) return "unknown";
  let value = count;
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (value < 1000) return `${value < 10 && unit !== "B" ? value.toFixed(1) : Math.round(value)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} TB`;
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`;
}

export function percent(part) {
  return `${Math.floor(Math.min(1, Math.max(0, part)) * 100)} %`;
}

/** A part of a path. A name that is no UTF-8 cannot be said in a URL; it gets what stands for it. */
export function inPath(name) {
  try {
    return encodeURIComponent(name);
  } catch {
    return encodeURIComponent(name.replace(/[\ud800-\udfff]/g, "\ufffd"));
  }
}

const rates = new Map();

/** Frames a second of a running job, from what its progress did in the last seconds; null while nobody knows. */
export function frameRate(job, now = performance.now() / 1000) {
  if (!job.frames || job.frames < 2) return null;
  let samples = rates.get(job.id);
  if (!samples || samples.at(-1).progress > job.progress) rates.set(job.id, (samples = []));
  const last = samples.at(-1);
  if (!last || last.progress !== job.progress) samples.push({ now, progress: job.progress });
  while (samples.length > 2 && now - samples[0].now > 15) samples.shift();
  const span = samples.at(-1).now - samples[0].now;
  if (span < 0.5) return null;
  return ((samples.at(-1).progress - samples[0].progress) * job.frames) / span;
}
