// One assessment on the page.

import { byId, fill, make, oneIn, percent, plain } from "./dom.js";
import { explainWhole, explainWords } from "./explanation.js";

const SHOWN = 6;
const ACTIONS = {
  publish: "Publish",
  publish_with_warning: "Publish with a warning",
  request_information: "Ask the seller for information",
  hold_for_review: "Hold for review",
  block: "Block",
};
const CONSUMERS = { very_vulnerable: "very vulnerable (under 3 years)", vulnerable: "vulnerable (3 to 14 years)", other: "everyone" };
const SEVERITY = ["", "1, first aid", "2, a visit to a doctor", "3, hospital", "4, fatal or lasting"];

const SCREENED = "Answered by the screen for long lists: the figures are rough, and no cues were looked for.";

const LEVEL = "level"; // what the explanation calls the words behind the level

let chosen = null;

export function drawResult(assessment) {
  verdict(assessment);
  scenario(assessment);
  hazards(assessment);
  cues(assessment.cues);
  kinds(assessment.kinds);
  versions(assessment);
  byId("result").hidden = false;
  byId("status").textContent = `Assessed: ${assessment.risk_level} risk, ${ACTIONS[assessment.decision.action]}.`;
}

function verdict(assessment) {
  const level = byId("level");
  level.className = `level level-${assessment.risk_level}`;
  level.textContent = assessment.risk_level === "none" ? "no risk found" : `${assessment.risk_level} risk`;
  byId("score").textContent = `${percent(assessment.risk_score)} likely to be high or serious`;
  byId("action").textContent = ACTIONS[assessment.decision.action] ?? plain(assessment.decision.action);
  list(byId("reasons"), assessment.decision.reasons);
  handling(assessment.decision);
  toldToSeller(assessment.decision.seller ?? null);
  list(byId("notes"), [...(assessment.tier === "screen" ? [SCREENED] : []), ...assessment.notes]);
  const abstains = byId("abstains");
  abstains.hidden = assessment.abstains.length === 0;
  list(abstains.querySelector("ul"), assessment.abstains.map((reason) => reason.replace(/^[a-z-]+: /, "")));
}

// Assessments of earlier versions name neither queue nor deadline nor obligations.
function handling({ queue = null, due = null, obligations = [] }) {
  const within = due ? `within ${due.amount} ${plain(due.unit).replace(/s$/, due.amount === 1 ? "" : "s")}` : "";
  byId("handling").textContent = [queue ? `Queue ${plain(queue)}` : "", within].filter(Boolean).join(", ");
  byId("handling").hidden = !queue && !due;
  const box = byId("obligations");
  box.hidden = obligations.length === 0;
  list(box.querySelector("ul"), obligations.map(({ who, text, missing }) =>
    `${who[0].toUpperCase()}${who.slice(1)}: ${text}${missing.length ? ` Missing: ${missing.map(gap).join(", ")}.` : ""}`));
}

function toldToSeller(message) {
  const box = byId("seller");
  box.hidden = message === null;
  if (message === null) return;
  const lines = box.querySelector("ul");
  lines.lang = message.language;
  lines.dir = message.direction;
  list(lines, message.lines);
}

const gap = (code) => code.replace(/^warnings-/, "warnings for ").replaceAll("-", " ");

function scenario({ scenario: found }) {
  byId("scenario-card").hidden = found === null;
  document.querySelectorAll("#matrix td").forEach((cell) => {
    const here = found !== null && cell.dataset.band === found.band && Number(cell.dataset.severity) === found.severity;
    cell.classList.toggle("here", here);
    if (here) cell.setAttribute("aria-current", "true");
    else cell.removeAttribute("aria-current");
  });
  if (found === null) return;
  byId("sentence").textContent = found.sentence;
  fill(byId("steps"), ...[
    ["Hazard", plain(found.risk_type)],
    ["Consumers", CONSUMERS[found.consumers] ?? plain(found.consumers)],
    ["Severity", SEVERITY[found.severity]],
    ["The product is unsafe", percent(found.p_unsafe)],
    ["… in this way", percent(found.p_hazard)],
    ["… and someone is hurt", oneIn(found.p_injury)],
    ["Together", oneIn(found.probability)],
    ["Band", found.band.replace("<=", "≤")],
  ].flatMap(([name, value]) => [make("dt", "", name), make("dd", "", value)]));
  byId("sensitivity").textContent = sensitivity(found);
}

function sensitivity({ level, sensitivity: steps }) {
  const changes = [
    ["one step more severe", steps.severity_up],
    ["one step less severe", steps.severity_down],
    ["one band more probable", steps.probability_up],
    ["one band less probable", steps.probability_down],
  ].filter(([, changed]) => changed !== level);
  if (changes.length === 0) return "The level stays the same one step of severity or probability up or down.";
  return `${capital(changes.map(([step, changed]) => `${step} would be ${changed}`).join("; "))}.`;
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function hazards(assessment) {
  const box = byId("hazards");
  const mark = (name) => {
    chosen = name;
    box.querySelectorAll("button").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.hazard === name));
    });
    byId("about-level").setAttribute("aria-pressed", String(name === LEVEL));
  };
  const choose = (name) => {
    mark(name);
    explainWords(assessment.id, name);
  };
  fill(box, ...assessment.hazards.map((hazard, i) => bar(hazard, i, choose)));
  byId("about-level").onclick = () => choose(LEVEL);
  const more = byId("more-hazards");
  const rest = assessment.hazards.length - SHOWN;
  const set = (open) => {
    box.classList.toggle("open", open);
    more.textContent = open ? "Show fewer" : `Show ${rest} more`;
    more.setAttribute("aria-expanded", String(open));
  };
  more.hidden = rest <= 0;
  more.onclick = () => set(!box.classList.contains("open"));
  set(false);
  const main = assessment.scenario?.risk_type ?? assessment.hazards[0]?.risk_type ?? null;
  mark(main);
  explainWhole(assessment.id, main);
}

function bar(hazard, index, choose) {
  const button = make("button", index >= SHOWN ? "hazard extra" : "hazard");
  button.type = "button";
  button.dataset.hazard = hazard.risk_type;
  const meter = make("span", "meter");
  const inner = make("span", hazard.flagged ? "fill flagged" : "fill");
  inner.style.width = `${Math.max(0.5, hazard.probability * 100)}%`;
  meter.append(inner);
  button.append(make("span", "name", hazard.risk_type), meter, make("span", "value", percent(hazard.probability)));
  if (hazard.flagged) button.append(make("span", "visually-hidden", ", above its threshold"));
  button.addEventListener("click", () => { if (chosen !== hazard.risk_type) choose(hazard.risk_type); });
  return button;
}

function cues(found) {
  const target = byId("cues");
  if (found.length === 0) { fill(target, make("li", "muted", "None.")); return; }
  const seen = new Map();
  found.forEach((cue) => seen.set(`${cue.cue}\u0000${cue.negated}\u0000${cue.span.text}`, cue));
  fill(target, ...[...seen.values()].map((cue) => {
    const item = make("li", cue.negated ? "negated" : cue.effect);
    const quote = make("q", "", cue.span.text);
    quote.dir = "auto";
    const effect = cue.negated ? `${cue.effect}, negated` : cue.effect;
    item.append(quote, make("span", "muted small", `${plain(cue.cue).replaceAll("-", " ")} · ${effect} · ${cue.span.field}`));
    return item;
  }));
}

function kinds(found) {
  fill(byId("kinds"), ...found.map((kind) => {
    const row = make("div", "kind");
    const meter = make("span", "meter");
    const inner = make("span", "fill");
    inner.style.width = `${Math.max(0.5, kind.probability * 100)}%`;
    meter.append(inner);
    const name = make("span", "name", kind.name);
    name.title = kind.category;
    row.append(name, meter, make("span", "value", percent(kind.probability)));
    return row;
  }));
}

function versions({ id, versions: made, language }) {
  const link = make("a", "", "Link to this assessment");
  link.href = `/assessments/${encodeURIComponent(id)}`;
  link.id = "permalink";
  const words = `language ${language.code}${language.covered ? "" : " (not covered)"} · model ${made.model} · plan ${made.plan} · taxonomy ${made.taxonomy}`;
  fill(byId("versions"), link, make("span", "", words));
}

function list(target, texts) {
  target.hidden = texts.length === 0;
  fill(target, ...texts.map((text) => make("li", "", text)));
}
