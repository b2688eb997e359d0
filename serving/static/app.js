// Sends the form, loads kept assessments, reports what went wrong.

import { byId, fill, make, ready } from "./dom.js";
import { drawResult } from "./result.js";
import { keyOfLink, signOut } from "./session.js";

const FIELDS = ["title", "description", "brand", "category", "language"];
const form = byId("form");
let turn = 0; // an answer that comes after a later question is dropped

async function ask(address, options = {}) {
  const response = await fetch(address, { ...options, headers: { Accept: "application/json", "X-Hazardlens-Page": "1", ...options.headers } });
  const body = await response.json();
  if (!response.ok) throw body;
  return body;
}

function complain(problem) {
  const message = byId("message");
  const detail = problem.detail ?? "The server cannot be reached.";
  const lines = (problem.errors ?? []).map((error) => make("li", "", `${error.field || "listing"}: ${error.message}. ${error.hint}`));
  fill(message, make("span", "", detail));
  if (lines.length > 1) message.append(fill(make("ul"), ...lines));
  message.hidden = false;
}

async function show(work) {
  const mine = ++turn;
  const button = byId("assess");
  byId("message").hidden = true;
  document.body.classList.add("busy");
  if (button) button.textContent = "Assessing…";
  try {
    const answer = await work();
    if (mine !== turn) return;
    byId("empty")?.remove();
    drawResult(answer.assessment);
    bringIntoView();
  } catch (problem) {
    if (mine === turn) complain(problem);
  } finally {
    if (mine === turn) {
      document.body.classList.remove("busy");
      if (button) button.textContent = "Assess";
    }
  }
}

function bringIntoView() {
  const result = byId("result");
  const narrow = window.matchMedia("(max-width: 899px)").matches;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const target = narrow ? result : byId("work");
  if (target.getBoundingClientRect().top < 0 || narrow) target.scrollIntoView({ behavior: calm ? "auto" : "smooth" });
}

function typed() {
  const listing = { id: "page" };
  FIELDS.forEach((name) => {
    const text = byId(`f-${name}`).value;
    if (text.trim() || name === "title") listing[name] = name === "language" ? text.trim() : text;
  });
  const captions = byId("f-captions").value.split("\n").filter((line) => line.trim());
  if (captions.length) listing.captions = captions;
  return listing;
}

async function assess() {
  const listing = typed();
  const answer = await ask("/v1/assessments", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ listings: [listing] }),
  });
  const { assessment, error } = answer.results[0];
  if (error) throw error;
  return { assessment };
}

async function kept(id) {
  const stored = await ask(`/v1/assessments/${encodeURIComponent(id)}`);
  if (form) enter(stored.listing);
  return stored;
}

function enter(listing) {
  FIELDS.forEach((name) => { byId(`f-${name}`).value = listing[name] ?? ""; });
  byId("f-captions").value = (listing.captions ?? []).map((caption) => caption.text ?? caption).join("\n");
}

keyOfLink();
byId("sign-out")?.addEventListener("click", signOut);
if (form) {
  form.addEventListener("submit", (event) => { event.preventDefault(); show(assess); });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); show(assess); }
  });
  byId("rows")?.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-assessment]");
    // A click with a modifier keeps its meaning: a new tab with the permalink.
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    show(() => kept(link.dataset.assessment));
  });
  ready(form);
} else if (byId("work")?.dataset.assessment) {
  show(() => kept(byId("work").dataset.assessment));
}
