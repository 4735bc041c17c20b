// The daemon's API. A refusal is an ApiError: one sentence, and what to do.

class ApiError extends Error {
  constructor(sentence, advice, status) {
    super(advice ? `${sentence} ${advice}` : sentence);
    this.sentence = sentence;
    this.advice = advice ?? null;
    this.status = status;
  }
}

export const loggedOut = new EventTarget();

/** What a refusal says, whatever it is made of. */
export function refusal(status, text) {
  if (status === 401) loggedOut.dispatchEvent(new Event("out"));
  try {
    const said = JSON.parse(text);
    if (typeof said.error === "string") return new ApiError(said.error, said.advice, status);
  } catch { /* no JSON: a proxy's own words */ }
  if (status === 413) return new ApiError("The file is larger than what is taken here.", null, status);
  return new ApiError(`The daemon answered with status ${status}.`, null, status);
}

async function ask(method, path, body) {
  const wanted = { method, cache: method === "GET" ? "no-cache" : "no-store", headers: {} };
  if (body instanceof FormData) wanted.body = body;
  else if (body !== undefined) {
    wanted.body = JSON.stringify(body);
    wanted.headers["Content-Type"] = "application/json";
  }
  let response;
  try {
    response = await fetch(path, wanted);
  } catch {
    throw new ApiError("The daemon does not answer.", "It may be restarting: this page tries again by itself.", 0);
  }
  const text = await response.text();
  if (!response.ok) throw refusal(response.status, text);
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    throw new ApiError("The daemon's answer is not understood.", "Reload the page.", response.status);
  }
}

export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => ask("POST", path, body);
export const remove = (path) => ask("DELETE", path);
