// Rows of a table, which stay while what they show is there: whoever has one in focus, or points at it, does not lose it.

/**
 * Shows `items` as rows: `make` makes one, `show` fills it. Says whether the row that was in focus is gone.
 */
export function rows(body, items, keyOf, make, show) {
  const had = body.contains(document.activeElement);
  const known = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  items.forEach((item, index) => {
    const key = keyOf(item);
    let row = known.get(key);
    known.delete(key);
    if (row === undefined) {
      row = document.createElement("tr");
      row.dataset.key = key;
      make(row);
    }
    // A row that moves loses the focus, so only one that has to is moved.
    if (body.rows[index] !== row) {
      const focused = row.contains(document.activeElement) ? document.activeElement : undefined;
      body.insertBefore(row, body.rows[index] ?? null);
      focused?.focus();
    }
    show(row, item);
  });
  for (const row of known.values()) row.remove();
  return had && !body.contains(document.activeElement);
}

/** A span of time in words. */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`;
}

const SVG = "http://www.w3.org/2000/svg";
const PARTS = ["available", "held", "delayed"];
const number = new Intl.NumberFormat("en");

/** A bar of a group's states. */
function bar() {
  const svg = document.createElementNS(SVG, "svg");
  svg.classList.add("bar");
  svg.setAttribute("aria-hidden", "true");
  for (const part of PARTS) {
    const rect = document.createElementNS(SVG, "rect");
    rect.classList.add(part);
    rect.setAttribute("height", "100%");
    svg.append(rect);
  }
  return svg;
}

/** Fills the row of a group. */
export function fill(row, group, now) {
  const [name, ...counts] = row.cells;
  const open = name.firstElementChild;
  open.textContent = group.name;
  if (name.children.length === 1) {
    const paused = document.createElement("span");
    paused.className = "pill paused";
    paused.textContent = "paused";
    name.append(paused, bar());
  }
  name.children[1].hidden = !group.paused;
  let x = 0;
  PARTS.forEach((part, index) => {
    const rect = name.children[2].children[index];
    const width = (100 * group[part]) / Math.max(1, group.tasks);
    rect.setAttribute("x", `${x}%`);
    rect.setAttribute("width", `${width}%`);
    x += width;
  });
  const values = [group.tasks, group.available, group.held, group.delayed].map((count) => number.format(count));
  values.push(group.oldest === undefined ? "–" : span(now - group.oldest));
  values.forEach((value, index) => {
    counts[index].textContent = value;
    counts[index].classList.toggle("none", value === "0" || value === "–");
  });
}
