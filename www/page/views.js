// The views of the page. The fragment of the address selects one: #requests, #tenants, #locks, #compare. What follows a
// question mark belongs to the view.

import { byId } from "./dom.js";

/** Connects the links. `onShow(name)` is called for the first view and for each change. */
export function views({ onShow }) {
  const links = [...byId("views").querySelectorAll("a")];
  const parts = [...document.querySelectorAll("[data-views]")];
  let current = null;

  const show = () => {
    const link = links.find(({ hash }) => hash === location.hash.split("?")[0]) ?? links[0];
    const name = link.hash.slice(1);
    if (name === current) return;
    current = name;
    for (const part of parts) part.hidden = !part.dataset.views.split(" ").includes(name);
    for (const other of links) {
      if (other === link) other.setAttribute("aria-current", "page");
      else other.removeAttribute("aria-current");
    }
    byId("app").dataset.view = name;
    scrollTo(0, 0);
    onShow(name);
  };

  addEventListener("hashchange", show);
  show();
}
