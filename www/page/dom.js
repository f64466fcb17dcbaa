// The two helpers with which the page builds its elements.

/** The element with this id; the page cannot work without it. */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`no element #${id} in the page`);
  return element;
}

/** A new element with attributes (null and false leave one out) and children. */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}
