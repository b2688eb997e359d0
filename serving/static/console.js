// Keys, clocks and small comforts of the review console. Everything that matters is done by the server.

const STORE = "hazardlens.keys";

const read = (name) => {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
};
const write = (name, value) => localStorage.setItem(name, JSON.stringify(value));

// ---- keys -----------------------------------------------------------------------------------------------------------

const keyOf = (element) => read(STORE)[element.dataset.key] ?? element.dataset.key;

const isTyping = (target) =>
  target.isContentEditable ||
  target.matches("textarea, select") ||
  (target.matches("input") && !["radio", "checkbox", "button", "submit"].includes(target.type));

const visible = (element) => element.offsetParent !== null || element.getClientRects().length > 0;

function press(element) {
  if (element.dataset.focus !== undefined) return element.focus();
  const input = element.matches("label") ? element.querySelector("input") : null;
  if (input) {
    input.click();
    input.focus();
    return;
  }
  element.click();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.key === "Escape" && isTyping(event.target)) return event.target.blur();
  const menu = event.key === "Escape" && document.querySelector("[data-menu][open]");
  if (menu) {
    menu.open = false;
    return menu.querySelector("summary").focus();
  }
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const onControl = event.target.closest("button, a, summary");
  if (event.key === "Enter" && onControl && onControl.dataset.key !== "Enter") return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") return moveRow(event);
  const found = [...document.querySelectorAll("[data-key]")].find((each) => keyOf(each) === event.key && visible(each));
  if (!found) return;
  event.preventDefault();
  press(found);
});

function moveRow(event) {
  const links = [...document.querySelectorAll("[data-row] .title a")];
  if (!links.length) return;
  event.preventDefault();
  const at = links.indexOf(document.activeElement);
  const step = event.key === "ArrowDown" ? 1 : -1;
  links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))].focus();
}

function showKeys() {
  for (const kbd of document.querySelectorAll("[data-key] kbd")) {
    const key = keyOf(kbd.closest("[data-key]"));
    kbd.textContent = key === "Enter" ? "⏎" : key;
  }
}

function showKeysTable() {
  const table = document.getElementById("keys-table");
  table.replaceChildren();
  const seen = new Set();
  for (const element of document.querySelectorAll("[data-key]")) {
    const own = element.dataset.key;
    if (seen.has(own)) continue;
    seen.add(own);
    const row = table.insertRow();
    const field = document.createElement("input");
    field.value = keyOf(element);
    field.maxLength = own === "Enter" ? 5 : 1;
    field.size = 5;
    field.setAttribute("aria-label", own);
    field.addEventListener("change", () => {
      const clash = [...seen].some((other) => other !== own && (read(STORE)[other] ?? other) === field.value);
      field.setCustomValidity(clash || !field.value ? "taken" : "");
      if (clash || !field.value) return;
      write(STORE, { ...read(STORE), [own]: field.value });
      showKeys();
    });
    row.insertCell().append(field);
    const label = [...element.childNodes]
      .filter((node) => !(node instanceof HTMLElement && node.matches("kbd, input, textarea, .count")))
      .map((node) => node.textContent.replace(node.querySelector?.("kbd")?.textContent ?? "", ""))
      .join(" ");
    row.insertCell().textContent = label.trim() || element.getAttribute("aria-label") || element.name || own;
  }
}

document.getElementById("keys-reset")?.addEventListener("click", () => {
  localStorage.removeItem(STORE);
  showKeys();
  showKeysTable();
});

// ---- dialogs, selections -------------------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  const opener = at("[data-open]");
  if (opener) {
    if (opener.dataset.open === "keys-help") showKeysTable();
    document.getElementById(opener.dataset.open).showModal();
  }
  if (at("[data-close]")) at("dialog").close();
  for (const menu of document.querySelectorAll("[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  const clearer = at("[data-clear]");
  if (clearer) document.getElementById(clearer.dataset.clear).replaceChildren();
  const veil = at("[data-veil]");
  if (veil) {
    const hidden = document.getElementById("listing-column").classList.toggle("blurred");
    veil.setAttribute("aria-pressed", String(!hidden));
  }
  const hazard = at("[data-hazard]");
  if (hazard)
    for (const other of document.querySelectorAll("[data-hazard]"))
      other.setAttribute("aria-pressed", String(other === hazard));
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-check-all]"))
    for (const box of document.querySelectorAll("[data-row] input[name=items]")) box.checked = event.target.checked;
  if (event.target.matches("[data-check-matches]"))
    for (const box of document.querySelectorAll("#matches input[name=match]")) box.checked = event.target.checked;
  if (event.target.closest(".hazard-checks")) showHazards();
  if (event.target.closest("#worksheet")) worksheetChanged();
  if (event.target.name === "outcome") suggestFor(event.target.value);
});

// A finding mostly settles the rest: what is left to the reviewer is to look at it.
function suggestFor(outcome) {
  const level = document.querySelector("#decide select[name=level]");
  if (!level) return;
  const risk = outcome === "confirmed_risk";
  const severe = ["high", "serious"].includes(level.value);
  if (!risk && severe) level.value = "none";
  if (risk && level.value === "none") level.value = level.dataset.modelLevel;
  const publish = document.querySelector("#decide input[value=publish]");
  if (!risk && !document.querySelector("#decide input[name=action]:checked")) publish.checked = true;
}

document.addEventListener("input", (event) => {
  if (event.target.closest("#worksheet")) worksheetChanged();
});

function showHazards() {
  const place = document.querySelector("[data-chosen-hazards]");
  if (!place) return;
  const chosen = [...document.querySelectorAll(".hazard-checks input:checked")].map((box) => box.parentElement.textContent.trim());
  place.textContent = chosen.join(", ") || "–";
}

function worksheetChanged() {
  const mark = document.querySelector("#decide input[name=worksheet]");
  if (mark) mark.value = "changed";
}

// ---- clocks ---------------------------------------------------------------------------------------------------------

const opened = Date.now();

function span(milliseconds) {
  const minutes = Math.floor(Math.abs(milliseconds) / 60000);
  if (minutes < 1) return `${Math.floor(Math.abs(milliseconds) / 1000)} s`;
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

function tick() {
  for (const time of document.querySelectorAll("time[data-clock]")) {
    const left = new Date(time.dateTime) - Date.now();
    time.title ||= time.dateTime;
    time.textContent = left < 0 ? `−${span(left)}` : span(left);
  }
  const seconds = document.querySelector("[data-seconds]");
  if (seconds) seconds.value = String(Math.round((Date.now() - opened) / 1000));
}

// ---- htmx -----------------------------------------------------------------------------------------------------------

document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target;
  if (target.id === "why") target.removeAttribute("aria-busy");
  if (target.id === "matrix-result" || document.getElementById("matrix-result") === event.detail.elt) {
    const level = document.querySelector("#matrix-result [data-level]")?.dataset.level;
    const select = document.querySelector("#decide select[name=level]");
    const touched = document.querySelector("#decide input[name=worksheet]")?.value === "changed";
    if (level && select && touched) select.value = level;
  }
  showKeys();
  showHazards();
  tick();
});

document.addEventListener("htmx:configRequest", (event) => {
  // What is filtered by stands in the address, which the list changes without the page.
  if (event.detail.elt.matches("[data-with-filter]")) event.detail.parameters.set("query", location.search);
  // The steps of the worksheet go with the verdict.
  if (event.detail.elt.id !== "decide") return;
  const sheet = document.getElementById("worksheet");
  if (sheet && event.detail.parameters.get("worksheet"))
    for (const [name, value] of new FormData(sheet)) event.detail.parameters.set(name, value);
});

document.addEventListener("htmx:sendError", () => {
  const message = document.getElementById("message");
  message.textContent = message.dataset.away;
});
document.addEventListener("htmx:responseError", async (event) => {
  let text = `${event.detail.xhr.status}`;
  try {
    text = JSON.parse(event.detail.xhr.responseText).detail;
  } catch {
    /* the status says it */
  }
  document.getElementById("message").textContent = text;
});

showKeys();
showHazards();
tick();
setInterval(tick, 1000);
