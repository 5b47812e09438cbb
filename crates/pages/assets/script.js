// Refreshes what is looked at, answers to keys, copies numbers. Every page works without it.
(() => {
  "use strict";
  const root = document.documentElement, $ = s => document.querySelector(s), all = s => [...document.querySelectorAll(s)];
  const french = root.lang === "fr";
  root.classList.add("js");

  const dress = () => all("[data-copy]").forEach(el => {
    if (!el.textContent || el.nextElementSibling?.classList.contains("copy") || !navigator.clipboard) return;
    const button = document.createElement("button");
    button.type = "button"; button.className = "copy";
    button.setAttribute("aria-label", (french ? "Copier " : "Copy ") + el.textContent);
    button.onclick = () => navigator.clipboard.writeText(el.textContent).then(() => { button.classList.add("copied"); });
    el.after(button);
  });
  dress();

  // What is being read or written is left alone.
  const busy = () => document.hidden || getSelection().toString() || $("dialog[open]")
    || (document.activeElement && document.activeElement !== document.body && $("main").contains(document.activeElement) && document.activeElement !== $("main"));
  let tag = null, open = true;
  const refresh = async () => {
    const main = $("main[data-live]");
    if (!main || busy()) return;
    try {
      const answer = await fetch(location.href, { headers: tag ? { "If-None-Match": tag } : {}, credentials: "same-origin", redirect: "error" });
      if (answer.status === 304 || !answer.ok || busy()) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html"), fresh = page.querySelector("main[data-live]");
      if (!fresh) return;
      const known = tag; tag = answer.headers.get("ETag");
      if (known === null) return;
      const opened = all("main details").map(d => d.open);
      main.replaceChildren(...fresh.childNodes);
      all("main details").forEach((d, i) => { d.open = opened[i] ?? d.open; });
      for (const s of ["header.top nav", ".now"]) { const a = $(s), b = page.querySelector(s); if (a && b) a.replaceWith(b); }
      const icon = $("link[rel=icon]"), other = page.querySelector("link[rel=icon]");
      if (icon && other) icon.href = other.getAttribute("href");
      dress();
    } catch { /* the next time */ }
  };
  setInterval(refresh, 10000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });

  if (root.dataset.keys === "off") return;
  let going = false, at = -1;
  const go = step => {
    const rows = all(".rows tbody tr, .work li");
    if (!rows.length) return;
    rows[at]?.classList.remove("at");
    at = Math.min(Math.max(at + step, 0), rows.length - 1);
    rows[at].classList.add("at");
    rows[at].querySelector("a")?.focus();
  };
  document.addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, select, textarea")) return;
    if (going) {
      going = false;
      const link = $(`nav a[data-key="${CSS.escape(e.key)}"]`);
      if (link) { e.preventDefault(); link.click(); }
      return;
    }
    if (e.key === "g") { going = true; setTimeout(() => { going = false; }, 1500); }
    else if (e.key === "/") { const s = $("[data-search]"); e.preventDefault(); if (s) s.focus(); else location.href = "/orders"; }
    else if (e.key === "j") go(1);
    else if (e.key === "k") go(-1);
    else if (e.key === "?") $("#keys").showModal();
  });
})();
