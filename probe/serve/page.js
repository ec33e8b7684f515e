// Keeps the page up to date: fetches it, changes in place only what differs, and announces a change of state once.
// Focus, selection, scroll position and open details stay. No other host is contacted.
"use strict";
(() => {
  const EVERY = 5000; // ms between two fetches, while the page is visible
  const PATIENCE = 10000; // ms for one response
  const byId = (id) => document.getElementById(id);
  const notice = byId("notice");
  const voice = byId("voice");
  let etag = ""; // of the page as it is shown
  let ahead = 0; // ms by which the sidecar's clock is ahead of ours
  let lost = 0; // our time of the first fetch that failed, 0 while the sidecar answers
  let next = 0; // the timer of the next fetch
  let fetching = false;

  // ---- changing the page in place ----

  const isElement = (node) => node.nodeType === Node.ELEMENT_NODE;
  const idOf = (node) => (isElement(node) ? node.id : "");
  const isSame = (old, fresh) => old.nodeName === fresh.nodeName && idOf(old) === idOf(fresh);
  const isReaders = (node, attribute) => attribute === "open" && node.nodeName === "DETAILS";

  function change(old, fresh) {
    if (!isElement(old)) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !isReaders(old, name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && !isReaders(old, name)) old.setAttribute(name, value);
    }
    if (!old.hasAttribute("data-tick")) changeChildren(old, fresh);
  }

  function changeChildren(old, fresh) {
    const wanted = new Set([...fresh.children].map(idOf));
    const byKey = new Map();
    for (const child of [...old.children]) {
      if (child.id && !wanted.has(child.id)) child.remove();
      else if (child.id) byKey.set(child.id, child);
    }
    let at = old.firstChild;
    for (const child of fresh.childNodes) {
      const same = byKey.get(idOf(child)) || (at && !idOf(at) && isSame(at, child) ? at : null);
      if (same && isSame(same, child)) {
        if (same === at) at = at.nextSibling;
        else old.insertBefore(same, at);
        change(same, child);
      } else {
        old.insertBefore(document.importNode(child, true), at);
        if (at && !idOf(at) && !idOf(child)) {
          const gone = at;
          at = at.nextSibling;
          gone.remove();
        }
      }
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  }

  const state = () => `${byId("state").textContent}. ${byId("lead").textContent}`;

  function show(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    if (!fresh.getElementById("state")) throw new Error("the response is not the page");
    const before = state();
    for (const id of ["top", "main"]) change(byId(id), fresh.getElementById(id));
    const icon = "link[rel=icon]";
    document.querySelector(icon).href = fresh.querySelector(icon).href;
    document.title = fresh.title;
    if (state() !== before) voice.textContent = state();
  }

  // ---- fetching ----

  async function update() {
    clearTimeout(next);
    if (document.hidden || fetching) return;
    fetching = true;
    try {
      const answer = await fetch(location.pathname + location.search, {
        cache: "no-store",
        headers: etag ? { "If-None-Match": etag } : {},
        redirect: "error",
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (answer.status !== 304 && !answer.ok) throw new Error(`the response is ${answer.status}`);
      if (answer.ok) {
        show(await answer.text());
        etag = answer.headers.get("ETag") || "";
      }
      const date = Date.parse(answer.headers.get("Date") || "");
      // A Date has whole seconds, so a smaller difference means nothing.
      if (date && Math.abs(date - Date.now() - ahead) > 2000) ahead = date - Date.now();
      regained();
    } catch {
      lose();
    }
    fetching = false;
    tick();
    next = setTimeout(update, EVERY);
  }

  function lose() {
    if (lost) return;
    lost = Date.now();
    document.documentElement.classList.add("lost");
    voice.textContent = "The sidecar is unreachable.";
  }

  function regained() {
    if (!lost) return;
    lost = 0;
    document.documentElement.classList.remove("lost");
    voice.textContent = `The sidecar is reachable again. ${state()}`;
  }

  // ---- time ----

  function age(seconds) {
    if (seconds < 60) return `${Math.floor(seconds)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
    return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
  }

  const clock = (ms) => new Date(ms).toISOString().slice(11, 19) + " UTC";

  function put(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function tick() {
    const now = Date.now() + ahead;
    for (const node of document.querySelectorAll("[data-tick]")) {
      const past = (now - Date.parse(node.dataset.at)) / 1000;
      if (node.dataset.tick === "in") put(node, past >= 0 ? "now" : `in ${age(Math.ceil(-past))}`);
      else put(node, past < 3 ? "just now" : `${age(past)} ago`);
    }
    const late = Date.parse(byId("hero").dataset.late || "");
    const warning = lost
      ? `Sidecar unreachable since ${clock(lost + ahead)}; showing its last state.`
      : late && now > late
        ? "No round has ended for a while; this state may be out of date."
        : "";
    notice.hidden = !warning;
    put(notice, warning);
  }

  // ---- buttons ----

  async function run(form) {
    const shown = byId("run-answer");
    try {
      const answer = await fetch(form.getAttribute("action"), { method: "POST", signal: AbortSignal.timeout(PATIENCE) });
      shown.textContent = (await answer.text()).trim().slice(0, 200);
    } catch {
      shown.textContent = "unreachable";
    }
  }

  byId("run").addEventListener("submit", (event) => {
    event.preventDefault();
    run(event.target);
  });
  document.addEventListener("visibilitychange", update);
  tick();
  setInterval(tick, 1000);
  update();
})();
