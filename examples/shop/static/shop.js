// Adds to the cart without leaving the page. Without this file the same forms work as they are.
"use strict";

const status = document.querySelector("#status");
const badge = document.querySelector("#cart-count");

// The first answer may bring the visitor's ticket. What is sent before it has come would begin a
// session of its own, so the first request goes alone and all others go in parallel.
let first = null;

const add = (form) => {
  const send = () => fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (first) return first.then(send, send);
  return (first = send());
};

// Answers may arrive in another order than they were made. The cart only grows meanwhile, so the
// highest number is the newest.
let pending = 0;
let most = 0;

const show = (page) => {
  most = Math.max(most, Number(page.querySelector("#cart-count").textContent));
  badge.textContent = most;
  badge.setAttribute("aria-label", `${most} in the cart`);
  badge.toggleAttribute("data-empty", most === 0);
};

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-add]")) return;
  event.preventDefault();
  pending += 1;
  try {
    const answer = await add(form);
    if (!answer.ok) throw new Error(answer.statusText);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    status.textContent = `${form.dataset.add} is in your cart.`;
    status.className = "visually-hidden";
  } catch {
    status.textContent = "That did not work. Please reload the page and look into your cart.";
    status.className = "note bad";
  }
  pending -= 1;
  if (pending === 0) most = 0;
});
