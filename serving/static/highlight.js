// The listing as written, with the words that speak for or against a hazard marked.
// Offsets count code points, JavaScript strings count UTF-16 units: every text is taken apart with Array.from first.

import { fill, make } from "./dom.js";

const STEPS = 4; // strengths that the style sheet knows
const FAINT = 0.08; // weights below this share of the strongest are noise to a reader

export function fieldsOf(listing) {
  const fields = [["title", "Title", listing.title]];
  const add = (name, label, text) => { if (text && text.trim()) fields.push([name, label, text]); };
  add("category", "Category", listing.category);
  add("brand", "Brand", listing.brand);
  (listing.captions ?? []).forEach((caption, i) =>
    add(`captions[${i}]`, "Caption", typeof caption === "string" ? caption : caption.text));
  Object.entries(listing.attributes ?? {}).forEach(([name, text]) => add(`attributes.${name}`, name, text));
  add("description", "Description", listing.description);
  (listing.warnings ?? []).forEach((text, i) => add(`warnings[${i}]`, "Warning", text));
  return fields;
}

export function drawListing(target, listing, attribution) {
  const highlights = attribution?.highlights ?? [];
  const strongest = Math.max(...highlights.map((h) => Math.abs(h.weight)), 1e-12);
  fill(target, ...fieldsOf(listing).map(([name, label, text]) => {
    const row = make("div", "field");
    const words = make("p", "text");
    words.dir = "auto";
    words.dataset.field = name;
    const own = highlights.filter((h) => h.field === name && Math.abs(h.weight) >= FAINT * strongest);
    fill(words, ...runs(Array.from(text ?? ""), own, strongest));
    const heading = make("h4", "", label);
    heading.dir = "auto";
    row.append(heading, words);
    return row;
  }));
}

function runs(points, highlights, strongest) {
  const weights = new Float64Array(points.length);
  const owner = new Int32Array(points.length).fill(-1);
  highlights.forEach((h, index) => {
    for (let i = h.start; i < Math.min(h.end, points.length); i += 1) {
      weights[i] += h.weight;
      owner[i] = index;
    }
  });
  const nodes = [];
  let start = 0;
  for (let i = 1; i <= points.length; i += 1) {
    if (i < points.length && owner[i] === owner[start] && weights[i] === weights[start]) continue;
    const text = points.slice(start, i).join("");
    nodes.push(owner[start] < 0 ? document.createTextNode(text) : marked(text, weights[start], strongest));
    start = i;
  }
  return nodes;
}

function marked(text, weight, strongest) {
  const strength = Math.min(STEPS, Math.max(1, Math.ceil((Math.abs(weight) / strongest) * STEPS)));
  const side = weight >= 0 ? "for" : "against";
  const mark = make("mark", `${side} strength-${strength}`, text);
  mark.title = `${side}: ${weight >= 0 ? "+" : "−"}${Math.abs(weight).toFixed(2)}`;
  return mark;
}
