// GET /api/status, which most of the page shows a part of.

import { get } from "./api.js";

let known = null, asked = 0;
const readers = [], losers = [];

/** The last status; null before the first. */
export const status = () => known;

/** `read(status)` whenever there is a new one; `lost(error)` when it was not to be had. */
export function whenStatus(read, lost) {
  readers.push(read);
  if (lost) losers.push(lost);
}

export async function askStatus() {
  const mine = ++asked;
  let answer;
  try {
    answer = await get("/api/status");
  } catch (error) {
    for (const lost of losers) lost(error);
    return;
  }
  if (mine !== asked) return; // a newer answer is on its way
  known = answer;
  for (const read of readers) read(answer);
}
