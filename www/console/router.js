// The sections of the console. The fragment of the address selects one, and what it shows: #tenants, #usage/acme.

import { byId } from "../page/dom.js";

/** Returns the section and the item that a fragment names. The item is null without one; a section may be unknown. */
export function parseFragment(fragment) {
  const [, section, item] = /^#?([^/]*)(?:\/(.*))?$/s.exec(fragment);
  try {
    return { section, item: item ? decodeURIComponent(item) : null };
  } catch {
    // A lone % is no percent-encoding.
    return { section, item: null };
  }
}

/** Returns the fragment of a section, and of an item in it. */
export function fragment(section, item = null) {
  return item === null ? `#${section}` : `#${section}/${encodeURIComponent(item)}`;
}

/**
 * Connects the links. `sections` maps each name to an object with `show(item)`, which is called whenever the fragment
 * selects it, and `hide()`, which is called when another section is selected.
 *
 * Returns `open()` and `close()`, for when the console is unlocked and locked.
 */
export function router(sections) {
  const links = [...byId("sections").querySelectorAll("a")];
  let current = null;

  const show = () => {
    const found = parseFragment(location.hash);
    const name = Object.hasOwn(sections, found.section) ? found.section : "tenants";
    const isNew = name !== current;
    if (isNew && current !== null) leave();
    current = name;
    for (const link of links) {
      if (parseFragment(link.hash).section === name) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    const section = element(name);
    section.hidden = false;
    const heading = section.querySelector("h1");
    document.title = `${heading.textContent} – sluicegate console`;
    if (isNew) {
      scrollTo(0, 0);
      heading.focus({ preventScroll: true });
    }
    sections[name].show(found.section === name ? found.item : null);
  };
  const leave = () => {
    element(current).hidden = true;
    sections[current].hide();
    current = null;
  };
  addEventListener("hashchange", () => {
    if (current !== null) show();
  });

  return {
    open() {
      byId("sections").hidden = false;
      show();
    },
    close() {
      byId("sections").hidden = true;
      if (current !== null) leave();
      document.title = "sluicegate console";
    },
  };
}

function element(name) {
  return document.querySelector(`[data-section="${name}"]`);
}
