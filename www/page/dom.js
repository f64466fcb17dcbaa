// Helpers for the elements of the page.

/** Returns the element with this id. Throws if there is none. */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`no element #${id} in the page`);
  return element;
}

/** Creates an element with attributes (null and false omit one) and children (null omits one). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Marks a form field as invalid, or removes the mark. */
export function setInvalid(field, invalid) {
  if (invalid) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

/** Focuses an element if nothing has the focus. A button that is disabled for a moment loses it. */
export function restoreFocus(element) {
  if (document.activeElement === document.body) element?.focus({ preventScroll: true });
}
