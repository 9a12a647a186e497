/** A fact of a list of facts. */
import { element } from '../../page/element.ts';

/** Returns a term and its value, for a `dl` of the class `facts`. */
export const fact = (name: string, ...value: readonly (Node | string)[]): HTMLElement =>
  element('div', {}, element('dt', {}, name), element('dd', {}, ...value));
