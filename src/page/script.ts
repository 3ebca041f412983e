/**
 * What makes the page live, where there is JavaScript: it is told by server-sent events that
 * something has changed, fetches its own address again and changes only what differs, so that focus,
 * selection and scrolling stay. Without it the page is whole, and reloads itself.
 */
export const SCRIPT = `(() => {
"use strict";
const { body } = document;
const light = document.getElementById("live");
const clock = () => +new Date;
let ahead = Number(body.dataset.now) - clock();
let fetching = false, again = false;

const say = (state, text) => { light.className = "live " + state; light.lastElementChild.textContent = text; };

const age = (ms) => {
  let left = Math.round(Math.max(ms, 1000) / 1000);
  if (left >= 3600) left -= left % 60;
  const parts = [];
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]]) {
    const count = Math.floor(left / size);
    if (!count && !parts.length) continue;
    left -= count * size;
    if (count) parts.push(count + unit);
    if (parts.length === 2 || !left) break;
  }
  return parts.join(" ");
};
const tick = () => {
  const now = clock() + ahead;
  for (const time of document.querySelectorAll("time[data-at]")) {
    const span = Number(time.dataset.at) - now;
    const text = Math.abs(span) < 1000 ? "now" : span > 0 ? "in " + age(span) : age(-span) + " ago";
    if (time.textContent !== text) time.textContent = text;
  }
};

const morph = (from, to) => {
  if (from.nodeName !== to.nodeName || (from.id || "") !== (to.id || "")) return from.replaceWith(to);
  if (from.nodeType !== 1) { if (from.data !== to.data) from.data = to.data; return; }
  if (from.isEqualNode(to)) return;
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  const known = new Map([...from.children].filter((one) => one.id).map((one) => [one.id, one]));
  const wanted = new Set([...to.children].map((one) => one.id).filter(Boolean));
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const same = next.id ? known.get(next.id) : undefined;
    if (same && same !== at) { from.insertBefore(same, at); morph(same, next); }
    else if (at && (same || !wanted.has(at.id))) { const after = at.nextSibling; morph(at, next); at = after; }
    else from.insertBefore(next, at);
  }
  while (at) { const after = at.nextSibling; at.remove(); at = after; }
};

const refresh = async () => {
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    // Without a user and password: fetch takes no address that has them.
    const answer = await fetch(location.origin + location.pathname + location.search, { headers: { accept: "text/html" }, cache: "no-store" });
    if (!(answer.headers.get("content-type") || "").startsWith("text/html")) throw new Error();
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    const focused = document.activeElement;
    morph(document.getElementById("main"), next.getElementById("main"));
    if (focused && focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    document.title = next.title;
    body.dataset.version = next.body.dataset.version;
    ahead = Number(next.body.dataset.now) - clock();
    tick();
  } catch { say("off", "not live"); }
  fetching = false;
  if (again) { again = false; refresh(); }
};

const listen = () => {
  const events = new EventSource("/events");
  const heard = ({ data }) => {
    const { version, keys } = JSON.parse(data);
    say("on", "live");
    const mine = !keys || !body.dataset.key || keys.includes(body.dataset.key);
    if (version && version !== body.dataset.version && mine) refresh();
  };
  events.addEventListener("version", heard);
  events.addEventListener("change", heard);
  events.onerror = () => {
    say("off", "connecting");
    if (events.readyState === EventSource.CLOSED) setTimeout(() => { refresh(); listen(); }, 30000);
  };
};

light.hidden = false;
tick();
setInterval(() => { if (!document.hidden) tick(); }, 1000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
listen();
})();`;
