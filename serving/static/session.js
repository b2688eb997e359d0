// Signs in and out. The proof, a key or name and password, is sent once; what stays is a cookie that no script can read.

const HEADERS = { Accept: "application/json", "X-Hazardlens-Page": "1" };

export async function signIn(proof) {
  const response = await fetch("/session", {
    method: "POST",
    headers: { ...HEADERS, "Content-Type": "application/json" },
    body: JSON.stringify(proof),
  });
  if (!response.ok) throw await response.json();
}

export async function signOut() {
  await fetch("/session", { method: "DELETE", headers: HEADERS });
  location.assign("/");
}

// A link may carry a key behind its "#": that part is sent to no server. It leaves the address bar at once.
export function keyOfLink() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key) history.replaceState(null, "", location.pathname + location.search);
  return key;
}
