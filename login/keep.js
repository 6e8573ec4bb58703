"use strict";
// How long data access lasts, where people look: in the tab's title, and in a
// notification where they let us. And, in time, to the IdP and back.
const page = document.querySelector("main").dataset;
const now = () => Date.now() / 1000;
const end = now() + Number(page.left), due = now() + Number(page.renews), warn = Number(page.warn);
const title = document.title;
let down = false, trying = false, told = "";

function tell(text) {
  if (told === text) return;
  told = text;
  if ("Notification" in window && Notification.permission === "granted") new Notification(text, {tag: "rolepass"});
}

async function answers() {
  try {
    await fetch(page.idp, {mode: "no-cors", credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(5000)});
    return true;
  } catch {
    return false;
  }
}

// A tab that leaves for a login page that does not answer says nothing any
// more. So it leaves when that answers, and without asking when little is left:
// some pages answer nobody but a browser that goes there.
async function renew(left) {
  if (trying) return;
  trying = true;
  down = !(await answers());
  if (!down || left < warn / 4) return location.assign(page.way);
  document.querySelector("#down").hidden = false;
  setTimeout(() => { trying = false }, Math.min(15, warn / 8) * 1000);
}

function tick() {
  const left = Math.max(0, Math.round(end - now()));
  const clock = Math.floor(left / 60) + ":" + String(left % 60).padStart(2, "0");
  document.querySelector("output").value = clock;
  const needed = page.state !== "renews" || down || left < warn;
  document.title = left === 0 ? "⚠ Data access has ended" : (needed ? "⚠ " : "") + clock + " – " + title;
  if (left === 0) tell("Data access has ended.");
  else if (left < warn) tell("Data access ends in a few minutes. Look at its tab.");
  else if (needed) tell("Data access needs you before it ends. Look at its tab.");
  if (page.state === "renews" && left > 0 && now() >= due) renew(left);
}

const button = document.querySelector("#tell");
button.hidden = !("Notification" in window) || Notification.permission !== "default";
button.addEventListener("click", async () => { await Notification.requestPermission(); button.hidden = true });
setInterval(tick, 1000);
tick();
