// The chart of commits a second, from the revisions that were seen.

/** How much of the past it shows, in milliseconds. */
const SHOWN = 300_000;

const at = (id) => document.getElementById(id);
const points = [];

/** A scale that ends at a round number. */
function round(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((end) => end >= most);
}

/** Notes a revision, and draws. */
export function draw(revision, number) {
  const now = Date.now();
  points.push([now, revision]);
  while (points[0][0] < now - SHOWN) points.shift();
  const rates = points.slice(1).map(([time, count], index) => {
    const [before, last] = points[index];
    return [time, (1000 * Math.max(0, count - last)) / Math.max(1, time - before)];
  });
  if (rates.length === 0) return;
  const peak = Math.max(...rates.map(([, rate]) => rate));
  const most = round(Math.max(1, peak));
  const place = ([time, rate]) => `${(300 * (1 - (now - time) / SHOWN)).toFixed(2)} ${(99 - (98 * rate) / most).toFixed(2)}`;
  const line = rates.map(place).join("L");
  const [first, last] = [rates[0][0], now].map((time) => (300 * (1 - (now - time) / SHOWN)).toFixed(2));
  at("line").setAttribute("d", `M${line}`);
  at("area").setAttribute("d", `M${first} 99L${line}L${last} 99Z`);
  const said = (rate) => number.format(Math.round(rate * 10) / 10);
  at("most").textContent = said(most);
  at("rate").textContent = `${said(rates.at(-1)[1])} now, ${said(peak)} at most`;
}
