// Keeps the page up to date: fetches it again, changes in place only what differs, and says so once.
// Whatever the reader holds stays: focus, selection, scroll, and what is open. No other host is ever asked.
"use strict";
(() => {
  const EVERY = 5000; // ms between two looks, while somebody can see the page
  const PATIENCE = 10000; // ms for one answer
  const byId = (id) => document.getElementById(id);
  const notice = byId("notice");
  const voice = byId("voice");
  let tag = ""; // of what is shown
  let ahead = 0; // ms that the sidecar's clock is ahead of ours
  let lost = 0; // our time of the first look that failed, 0 while all is well
  let next = 0;
  let looking = false;

  document.documentElement.classList.add("js");

  // ---- what changed ----

  const isElement = (node) => node.nodeType === Node.ELEMENT_NODE;
  const idOf = (node) => (isElement(node) ? node.id : "");
  const alike = (old, made) => old.nodeName === made.nodeName && idOf(old) === idOf(made);
  const isOurs = (node, attribute) => attribute === "open" && node.nodeName === "DETAILS";

  function change(old, made) {
    if (!isElement(old)) {
      if (old.data !== made.data) old.data = made.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!made.hasAttribute(name) && !isOurs(old, name)) old.removeAttribute(name);
    }
    for (const { name, value } of made.attributes) {
      if (old.getAttribute(name) !== value && !isOurs(old, name)) old.setAttribute(name, value);
    }
    if (!old.hasAttribute("data-tick")) changeChildren(old, made);
  }

  function changeChildren(old, made) {
    const wanted = new Set([...made.children].map(idOf));
    const known = new Map();
    for (const child of [...old.children]) {
      if (child.id && !wanted.has(child.id)) child.remove();
      else if (child.id) known.set(child.id, child);
    }
    let at = old.firstChild;
    for (const child of made.childNodes) {
      const same = known.get(idOf(child)) || (at && !idOf(at) && alike(at, child) ? at : null);
      if (same && alike(same, child)) {
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
    const made = new DOMParser().parseFromString(text, "text/html");
    if (!made.getElementById("state")) throw new Error("what answers is not the page");
    const before = state();
    for (const id of ["top", "main"]) change(byId(id), made.getElementById(id));
    const icon = "link[rel=icon]";
    document.querySelector(icon).href = made.querySelector(icon).href;
    document.title = made.title;
    if (state() !== before) voice.textContent = state();
  }

  // ---- looking again ----

  async function look() {
    clearTimeout(next);
    if (document.hidden || looking) return;
    looking = true;
    try {
      const answer = await fetch(location.pathname + location.search, {
        cache: "no-store",
        headers: tag ? { "If-None-Match": tag } : {},
        redirect: "error",
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (answer.status !== 304 && !answer.ok) throw new Error(`it answered ${answer.status}`);
      if (answer.ok) {
        show(await answer.text());
        tag = answer.headers.get("ETag") || "";
      }
      const date = Date.parse(answer.headers.get("Date") || "");
      // A Date has whole seconds, so less than two are no news.
      if (date && Math.abs(date - Date.now() - ahead) > 2000) ahead = date - Date.now();
      found();
    } catch {
      lose();
    }
    looking = false;
    tick();
    next = setTimeout(look, EVERY);
  }

  function lose() {
    if (lost) return;
    lost = Date.now();
    document.documentElement.classList.add("lost");
    voice.textContent = "The sidecar is not reachable.";
  }

  function found() {
    if (!lost) return;
    lost = 0;
    document.documentElement.classList.remove("lost");
    voice.textContent = `Reachable again. ${state()}`;
  }

  // ---- time ----

  function words(seconds) {
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
      if (node.dataset.tick === "in") put(node, past >= 0 ? "now" : `in ${words(Math.ceil(-past))}`);
      else put(node, past < 3 ? "just now" : `${words(past)} ago`);
    }
    const late = Date.parse(byId("hero").dataset.late || "");
    const told = lost
      ? `Not reachable since ${clock(lost + ahead)}. What stands here is from before.`
      : late && now > late
        ? "No round has ended for a while: what stands here may no longer be so."
        : "";
    notice.hidden = !told;
    put(notice, told);
  }

  // ---- buttons ----

  async function copy(button) {
    const code = button.parentNode.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      // Over plain HTTP there is no clipboard, but what is selected can be copied.
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    button.firstChild.data = "Copied";
    voice.textContent = "Copied.";
    setTimeout(() => (button.firstChild.data = "Copy"), 2000);
  }

  async function run(form) {
    const asked = byId("asked");
    try {
      const answer = await fetch(form.getAttribute("action"), { method: "POST", signal: AbortSignal.timeout(PATIENCE) });
      asked.textContent = (await answer.text()).trim().slice(0, 200);
    } catch {
      asked.textContent = "not reachable";
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".copy");
    if (button) copy(button);
  });
  byId("run").addEventListener("submit", (event) => {
    event.preventDefault();
    run(event.target);
  });
  document.addEventListener("visibilitychange", look);
  tick();
  setInterval(tick, 1000);
  look();
})();
