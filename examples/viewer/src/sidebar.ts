/** The collections of a repository, with how many records each has. */
import type { CollectionCount } from 'pdsdb';
import { element } from '../../page/element.ts';
import { formatCount } from '../../page/quantities.ts';
import type { Route } from './route.ts';
import { addressOf } from './route.ts';

/** Takes the place of a collection where all of them are searched. No collection has a name without dots. */
export const EVERYWHERE = 'search';

const entry = (label: string, route: Route, isCurrent: boolean, count?: number): HTMLElement =>
  element(
    'li',
    {},
    element(
      'a',
      { href: addressOf(route), 'data-internal': true, 'aria-current': isCurrent ? 'page' : undefined },
      element('span', { class: count === undefined ? '' : 'mono' }, label),
      count === undefined ? undefined : element('span', { class: 'count' }, formatCount(count)),
    ),
  );

export const sidebar = (did: string, counts: readonly CollectionCount[], current: string | undefined): HTMLElement =>
  element(
    'nav',
    { class: 'sidebar', 'aria-label': 'Collections' },
    element('ul', {}, entry('Overview', { did }, current === undefined), entry('Search everything', { did, collection: EVERYWHERE }, current === EVERYWHERE)),
    element('h2', {}, counts.length === 0 ? 'No records' : 'Collections'),
    element('ul', {}, ...counts.map(({ collection, count }) => entry(collection, { did, collection }, current === collection, count))),
  );
