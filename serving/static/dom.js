// Small tools to build elements. Text only ever enters through textContent, so that nothing a seller wrote can run.

export const byId = (id) => document.getElementById(id);

export function make(tag, className = "", text = null) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== null) element.textContent = text;
  return element;
}

export function fill(parent, ...children) {
  parent.replaceChildren(...children);
  return parent;
}

export const plain = (word) => String(word).replaceAll("_", " ");

export function percent(p) {
  if (p === 0) return "0 %";
  if (p < 0.01) return "< 1 %";
  return `${Math.round(p * 100)} %`;
}

// A probability of harm is read as odds: 0.00043 says nothing, "1 in 2 300" does.
export function oneIn(p) {
  if (p <= 0) return "never";
  if (p > 0.5) return percent(p);
  const n = 1 / p;
  const digits = Math.max(0, Math.floor(Math.log10(n)) - 1);
  const rounded = Math.round(n / 10 ** digits) * 10 ** digits;
  return `1 in ${rounded.toLocaleString("en").replaceAll(",", "\u202f")}`;
}

// A form's buttons come disabled: sent before its script listens, it would lead to another page and lose what was typed.
export function ready(form) {
  form.querySelectorAll("button:disabled").forEach((button) => { button.disabled = false; });
}
