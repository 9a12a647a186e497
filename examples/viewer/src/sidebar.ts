/** The collections of a repository, with their record counts. */
import type { CollectionCount } from 'pdsdb';
import { element } from '../../page/element.ts';
import { formatCount } from '../../page/quantities.ts';
import type { Route } from './route.ts';
import { addressOf } from './route.ts';

/** The value for all collections in a search. The name of a collection has dots, so it differs. */
export const EVERYWHERE = 'search';

export class Sidebar {
  readonly element: HTMLElement = element('nav', { class: 'sidebar', 'aria-label': 'Collections' });
  readonly #did: string;
  #counts: readonly CollectionCount[] | undefined;
  /** Collection -> link. The link of the overview has the key ''. */
  #links = new Map<string | undefined, HTMLElement>();

  constructor(did: string) {
    this.#did = did;
  }

  /**
   * Shows the collections, and marks the open one. The links stay as long as the collections do, and with
   * them the focus.
   */
  show(counts: readonly CollectionCount[], current: string | undefined): void {
    if (counts !== this.#counts) {
      this.#counts = counts;
      this.#replaceLinks(counts);
    }
    for (const [collection, link] of this.#links) {
      if (collection === current) {
        link.setAttribute('aria-current', 'page');
      } else {
        link.removeAttribute('aria-current');
      }
    }
  }

  #replaceLinks(counts: readonly CollectionCount[]): void {
    const focused = [...this.#links].find(([, link]) => link === document.activeElement);
    this.#links = new Map();
    this.element.replaceChildren(
      element('ul', {}, this.#entry('Overview', undefined), this.#entry('Search everything', EVERYWHERE)),
      element('h2', {}, counts.length === 0 ? 'No records' : 'Collections'),
      element('ul', {}, ...counts.map(({ collection, count }) => this.#entry(collection, collection, count))),
    );
    if (focused !== undefined) {
      this.#links.get(focused[0])?.focus();
    }
  }

  #entry(label: string, collection: string | undefined, count?: number): HTMLElement {
    const route: Route = { did: this.#did, collection };
    const link = element(
      'a',
      { href: addressOf(route), 'data-internal': true },
      element('span', { class: count === undefined ? '' : 'mono' }, label),
      count === undefined ? undefined : element('span', { class: 'count' }, formatCount(count)),
    );
    this.#links.set(collection, link);
    return element('li', {}, link);
  }
}
