// GET /api/stream, read with fetch: unlike EventSource it tells why there is none, hears every kind of event, and notices
// a line that has gone silent. It goes on after the last event that was seen, over restarts of the daemon, too.

const SILENT = 40_000; // milliseconds; the daemon says something every 15 seconds
const LONGEST_PAUSE = 10_000;

/** Follow the stream for ever. `hear(kind, data)` gets each message, `tell(state)` live, reconnecting, polling or out. */
export async function follow(hear, tell) {
  let last = null, pause = 500;
  for (;;) {
    const line = new AbortController();
    let watchdog = setTimeout(() => line.abort(), SILENT);
    try {
      const headers = last === null ? {} : { "Last-Event-ID": last };
      const response = await fetch("/api/stream", { headers, cache: "no-store", signal: line.signal });
      if (response.status === 404) return tell("polling");
      if (response.status === 401) {
        tell("out");
        await new Promise((go) => addEventListener("logged-in", go, { once: true }));
      } else if (response.ok) {
        pause = 500;
        await read(response.body, (event) => {
          clearTimeout(watchdog);
          watchdog = setTimeout(() => line.abort(), SILENT);
          if (!event) return;
          if (event.id) last = event.id;
          if (event.kind === "hello") tell("live");
          hear(event.kind, event.data);
        });
      }
    } catch { /* the line broke */ } finally {
      clearTimeout(watchdog);
      line.abort();
    }
    tell("reconnecting");
    await new Promise((go) => setTimeout(go, pause));
    pause = Math.min(LONGEST_PAUSE, pause * 1.7);
  }
}

/** Read messages to the end; `heard(null)` for a line that says only that all is well. */
async function read(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    text += value;
    const messages = text.split(/\r?\n\r?\n/);
    text = messages.pop();
    for (const message of messages) heard(parsed(message));
  }
}

function parsed(message) {
  const event = { id: null, kind: "message", data: "" };
  for (const line of message.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (line.startsWith("id:")) event.id = value;
    else if (line.startsWith("event:")) event.kind = value;
    else if (line.startsWith("data:")) event.data += value;
  }
  if (!event.data) return null;
  try {
    return { ...event, data: JSON.parse(event.data) };
  } catch {
    return null;
  }
}
