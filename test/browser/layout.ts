import type { Page } from "playwright-core";

/** What is wrong with a page as it is drawn, in sentences: for whoever uses a keyboard, a small screen, or cannot see well. */
export function faultsOf(page: Page): Promise<string[]> {
  return page.evaluate(`(${look})()`) as Promise<string[]>;
}

/** Runs in the browser. */
const look = `() => {
  const faults = [];
  const { documentElement: root } = document;
  if (root.scrollWidth > root.clientWidth) faults.push("scrolls sideways: " + root.scrollWidth + " > " + root.clientWidth);
  if (!root.lang) faults.push("no language");
  if (!document.title) faults.push("no title");
  for (const name of ["main", "header", "footer", "h1"])
    if (document.querySelectorAll("body > " + name + ", main " + name).length === 0) faults.push("no " + name);
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main");

  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) faults.push("id twice: " + id);
  for (const one of document.querySelectorAll("[aria-labelledby]"))
    for (const id of one.getAttribute("aria-labelledby").split(" ")) if (!ids.includes(id)) faults.push("labelled by nothing: " + id);

  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const now = Number(heading.tagName[1]);
    if (now > level + 1) faults.push("heading skips a level: " + heading.textContent);
    level = now;
  }
  for (const control of document.querySelectorAll("a, button, input:not([type=hidden])")) {
    const named = control.textContent.trim() || control.getAttribute("aria-label") || (control.labels && control.labels.length);
    if (!named) faults.push("without a name: " + control.outerHTML);
    if (!control.id && control.className !== "skip") faults.push("loses the focus when the page changes: " + control.outerHTML);
  }
  for (const image of document.querySelectorAll("svg, img"))
    if (image.getAttribute("aria-hidden") !== "true" && !image.getAttribute("aria-label")) faults.push("image without a text");
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption) faults.push("table without a caption");
    for (const cell of table.querySelectorAll("th")) if (!cell.scope) faults.push("header cell without a scope");
  }

  const channel = (value) => { const c = value / 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const parse = (color) => (color.match(/[\\d.]+/g) || []).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(element.tagName)) continue;
    const { color, fill, fontSize, fontWeight, visibility } = getComputedStyle(element);
    if (visibility === "hidden" || element.getClientRects().length === 0) continue;
    const [a, b] = [luminance(parse(element.closest("svg") ? fill : color)), luminance(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700);
    const fault = "contrast " + ratio.toFixed(2) + ": " + element.tagName + "." + (element.className.baseVal ?? element.className);
    if (ratio < (large ? 3 : 4.5) && !seen.has(fault)) { seen.add(fault); faults.push(fault); }
  }
  return faults;
}`;
