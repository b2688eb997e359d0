// Takes name and password, or a key from the link or the form, and shows the page that was asked for.

import { byId, ready } from "./dom.js";
import { keyOfLink, signIn } from "./session.js";

async function enter(proof) {
  const message = byId("message");
  message.hidden = true;
  try {
    await signIn(proof);
    location.reload();
  } catch (problem) {
    message.textContent = problem.detail ?? "The server cannot be reached.";
    message.hidden = false;
  }
}

byId("sign-in").addEventListener("submit", (event) => {
  event.preventDefault();
  enter({ name: byId("name").value, password: byId("password").value });
});
byId("sign-in-key").addEventListener("submit", (event) => {
  event.preventDefault();
  enter({ key: byId("key").value.trim() });
});
ready(byId("sign-in"));
ready(byId("sign-in-key"));
const given = keyOfLink();
if (given) enter({ key: given });
