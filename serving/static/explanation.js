// The explanation comes as HTML that the server has written and escaped; it holds no script and no style.

import { byId, fill, make } from "./dom.js";

let turn = 0; // an answer that comes after a later question is dropped

async function fragment(id, parameters) {
  const query = new URLSearchParams({ format: "html", ...parameters });
  const response = await fetch(`/v1/assessments/${encodeURIComponent(id)}/explanation?${query}`);
  if (!response.ok) throw await response.json();
  return new DOMParser().parseFromString(await response.text(), "text/html").querySelector(".explanation");
}

async function show(id, parameters, parts) {
  const mine = ++turn;
  const targets = Object.keys(parts).map(byId);
  targets.forEach((target) => target.setAttribute("aria-busy", "true"));
  try {
    const found = await fragment(id, parameters);
    if (mine !== turn) return;
    Object.entries(parts).forEach(([target, part]) => fill(byId(target), ...found.querySelector(part).childNodes));
  } catch (problem) {
    if (mine !== turn) return;
    fill(byId("why"));
    fill(byId("listing"), make("p", "notice", problem.detail ?? "The server cannot be reached."));
  } finally {
    if (mine === turn) targets.forEach((target) => target.removeAttribute("aria-busy"));
  }
}

export const explainWhole = (id, about) =>
  show(id, about === null ? { detail: "full" } : { detail: "full", about }, { listing: ".listing-part", why: ".why-part" });

export const explainWords = (id, about) => show(id, { detail: "tokens", about }, { listing: ".listing-part" });
