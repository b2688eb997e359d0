// Takes the key from the link or from the form, and shows the page that was asked for.

import { byId } from "./dom.js";
import { keyOfLink, signIn } from "./session.js";

const form = byId("sign-in");

async function enter(key) {
  const message = byId("message");
  message.hidden = true;
  try {
    await signIn(key);
    location.reload();
  } catch (problem) {
    message.textContent = problem.detail ?? "The server cannot be reached.";
    message.hidden = false;
  }
}

form.addEventListener("submit", (event) => { event.preventDefault(); enter(byId("key").value.trim()); });
const given = keyOfLink();
if (given) enter(given);
