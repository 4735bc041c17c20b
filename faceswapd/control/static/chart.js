// A line over the last day, as SVG. What it shows is told in words, too.

import { fill, h, say } from "./dom.js";
import { clock } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 480, HEIGHT = 96, DAY = 86400, GAP = 300; // a line is broken where nothing was read for 5 minutes

function drawn(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** A chart with a title: `element`, and `show(points, now)` of [seconds, value or null], oldest first. `most` is the top of
 * the scale where it has one, `words` says a value. */
export function chart(title, words, most = null) {
  const head = h("figcaption", null, h("span", null, title)), value = h("b");
  head.append(value);
  const picture = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", class: "chart" });
  const told = h("p", { class: "muted chart-told" });
  const element = h("figure", { class: "card chart-card" }, head, picture, h("div", { class: "chart-ends", "aria-hidden": "true" }, h("span", null, "24 h ago"), h("span", null, "now")), told);
  let points = [], from = 0, top = 1;
  const x = (at) => ((at - from) / DAY) * WIDTH, y = (one) => HEIGHT - 3 - (Math.min(one, top) / top) * (HEIGHT - 8);

  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const at = from + ((event.clientX - box.left) / box.width) * DAY;
    const near = points.reduce((best, one) => (best === null || Math.abs(one[0] - at) < Math.abs(best[0] - at) ? one : best), null);
    if (near) say(value, `${words(near[1])} at ${clock(near[0])}`);
  });
  picture.addEventListener("pointerleave", () => showLast());
  const showLast = () => say(value, points.length ? words(points.at(-1)[1]) : "");

  return {
    element,
    show(all, now) {
      from = now - DAY;
      points = all.filter(([at, one]) => one !== null && one !== undefined && at >= from);
      element.hidden = !points.length;
      if (!points.length) return;
      const values = points.map((one) => one[1]);
      const low = Math.min(...values), high = Math.max(...values);
      top = most ?? (high * 1.1 || 1);
      let line = "", area = "", begun = null, last = null;
      for (const [at, one] of points) {
        const place = `${x(at).toFixed(1)} ${y(one).toFixed(1)}`;
        if (last === null || at - last > GAP) {
          if (begun !== null) area += `L${x(last).toFixed(1)} ${HEIGHT}L${begun} ${HEIGHT}Z`;
          begun = x(at).toFixed(1);
          line += `M${place}`;
          area += `M${place}`;
        } else {
          line += `L${place}`;
          area += `L${place}`;
        }
        last = at;
      }
      area += `L${x(last).toFixed(1)} ${HEIGHT}L${begun} ${HEIGHT}Z`;
      fill(picture, ...[0.25, 0.5, 0.75].map((part) => drawn("path", { class: "grid", d: `M${WIDTH * part} 0V${HEIGHT}` })),
        drawn("path", { class: "area", d: area }), drawn("path", { class: "line", d: line }));
      const summary = `Now ${words(values.at(-1))}; between ${words(low)} and ${words(high)} since ${clock(points[0][0])}.`;
      picture.setAttribute("aria-label", `${title}. ${summary}`);
      say(told, summary);
      showLast();
    },
  };
}
