// Comfort for pages that htmx updates. Everything here has a way without scripts.
(() => {
  "use strict";

  // A refusal comes as a notice with a place of its own: show it there and leave the rest of the page alone.
  // A part that fills itself again and again says by itself that its service is away.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const saysItself = event.detail.requestConfig.elt.dataset.away && event.detail.xhr.status >= 500;
    if (event.detail.xhr.getResponseHeader("HX-Retarget") && !saysItself) {
      event.detail.shouldSwap = true;
    }
  });

  // Whoever moves by keyboard should meet the notice and not search for it.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "notices") {
      event.detail.target.scrollIntoView({ block: "nearest" });
    }
  });

  // A part that another service fills says so while that one does not answer. Whoever is not let in is told once: the
  // copy is unknown to htmx, so it asks no more.
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, (event) => {
      const part = event.detail.elt;
      const words = document.getElementById(part.dataset.away || "-");
      if (!words) {
        return;
      }
      const status = event.detail.xhr ? event.detail.xhr.status : 0;
      if (status === 401 || status === 403) {
        part.replaceWith(part.cloneNode(true));
      } else {
        part.replaceChildren(words.content.cloneNode(true));
      }
    });
  }

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
