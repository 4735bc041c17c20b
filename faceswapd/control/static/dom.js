// Elements, made by hand. Text is always put in as text: nothing that comes from the daemon is read as markup.

/** An element with attributes, listeners (`onclick`) and children; null, false and undefined are left out. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  fill(element, ...children);
  return element;
}

/** Replace all children. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

/** Put a text in, only where it is another one: a live region would say it again. */
export function say(element, text) {
  const wanted = text ?? "";
  if (element.textContent !== wanted) element.textContent = wanted;
  return element;
}

/** The sentence with its `commands` set as code. */
export function prose(text) {
  return (text ?? "").split("`").map((part, index) => (index % 2 ? h("code", null, part) : part));
}

const known = new WeakMap();

/** Show items as children of `parent`. What is there already is kept and updated, so that nobody loses the focus. */
export function keyed(parent, items, key, make) {
  const before = known.get(parent) ?? new Map();
  const after = new Map();
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    const row = before.get(name) ?? make(item);
    row.update(item);
    after.set(name, row);
    if (row.element === place) place = place.nextElementSibling;
    else parent.insertBefore(row.element, place);
  }
  for (const [name, row] of before) if (!after.has(name)) row.element.remove();
  known.set(parent, after);
}

/** A button with words. */
export function button(words, onclick, attributes) {
  return h("button", { type: "button", class: "button", onclick, ...attributes }, words);
}
