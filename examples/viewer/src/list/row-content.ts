/** What a list of records shows: the content of a row, and the notice for an unknown collection. */
import { element } from '../../../page/element.ts';
import { formatShortDate } from '../../../page/quantities.ts';
import type { Query } from './query.ts';
import type { Row } from './rows.ts';
import { madeAt, summaryOf } from '../summary.ts';

/** Returns a text with the words of the query marked. */
const marked = (text: string, query: Query | undefined): readonly (Node | string)[] =>
  (query?.split(text) ?? [text]).map((part, i) => (i % 2 === 1 ? element('mark', {}, part) : part));

export const unknownNote = (collection: string): HTMLElement =>
  element(
    'div',
    { class: 'note warn', role: 'status' },
    element('h2', {}, 'There is no such collection here.'),
    element('p', {}, `This repository has no records in ${collection}.`),
  );

export const fillRow = (into: HTMLElement, row: Row | undefined, withCollection: boolean): void => {
  if (row === undefined) {
    into.replaceChildren(element('span', { class: 'pending' }));
    return;
  }
  const made = madeAt(row);
  const key = withCollection ? `${row.collection}/${row.rkey}` : row.rkey;
  const date =
    made === undefined ? undefined : element('time', { datetime: made.toISOString() }, formatShortDate(made));
  into.replaceChildren(
    element('span', { class: row.fault === undefined ? 'said' : 'said danger' }, ...marked(summaryOf(row), row.query)),
    element('span', { class: 'where' }, element('span', { class: 'mono' }, ...marked(key, row.query)), date),
  );
};
