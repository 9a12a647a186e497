/** Elements of a page in one expression. */

type Listener = (event: never) => void;
export type Attributes = Readonly<Record<string, string | number | boolean | Listener | undefined>>;
export type Child = Node | string | undefined;

/**
 * Returns an element with attributes, listeners (`onclick`) and children. Skips `undefined` and `false`. Texts
 * become text nodes and never markup, so that a record cannot inject HTML.
 */
export const element = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') {
      made.addEventListener(name.slice(2), value as EventListener);
    } else if (value !== undefined && value !== false) {
      made.setAttribute(name, value === true ? '' : String(value));
    }
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
};

/** Returns a button with a listener. */
export const button = (label: string, onclick: () => void, attributes: Attributes = {}): HTMLButtonElement =>
  element('button', { type: 'button', onclick, ...attributes }, label);
