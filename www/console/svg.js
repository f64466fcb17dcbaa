// Elements of SVG. Their sizes are attributes, so they need no inline style.

/** Creates an element of SVG with attributes (null omits one) and children. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}
