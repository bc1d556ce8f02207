// Comfort for pages that htmx updates. Everything here has a way without scripts.
(() => {
  "use strict";

  // A refusal comes as a notice with a place of its own: show it there and leave the rest of the page alone.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.getResponseHeader("HX-Retarget")) {
      event.detail.shouldSwap = true;
    }
  });

  // Whoever moves by keyboard should meet the notice and not search for it.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "notices") {
      event.detail.target.scrollIntoView({ block: "nearest" });
    }
  });

  // One click, one command: the second press of a double click is not sent.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") {
      return;
    }
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
  });

  // Coming back by the browser's back button finds the page as it was left: make its forms usable again.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    }
  });
})();
