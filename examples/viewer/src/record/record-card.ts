/** Views for posts, profiles, likes, reposts, follows and blocks. Any field may be missing or have any type. */
import type { RecordValue, Repo } from 'pdsdb';
import { element } from '../../../page/element.ts';
import { dateOf, formatDate } from '../../../page/quantities.ts';
import { fieldOf, textOf } from '../field.ts';
import { linkTo } from './links.ts';
import { richText } from './rich-text.ts';

/** The subject of a record, as a link if possible. */
const subject = (repo: Repo, value: unknown): Node => {
  const text = textOf(value) ?? textOf(fieldOf(value, 'uri'));
  return text === undefined
    ? document.createTextNode('something that it does not name')
    : (linkTo(text, repo) ?? document.createTextNode(text));
};

const line = (words: string, ...rest: readonly Node[]): HTMLElement => element('p', {}, `${words} `, ...rest);

const when = (value: RecordValue): readonly HTMLElement[] => {
  const date = dateOf(value['createdAt']);
  return date === undefined
    ? []
    : [element('p', { class: 'quiet' }, element('time', { datetime: date.toISOString() }, formatDate(date)))];
};

const post = (repo: Repo, value: RecordValue): readonly Node[] => {
  const parent = fieldOf(value, 'reply', 'parent');
  const external = fieldOf(value, 'embed', 'external') ?? fieldOf(value, 'embed', 'media', 'external');
  const quoted = fieldOf(value, 'embed', 'record', 'record') ?? fieldOf(value, 'embed', 'record');
  const page = textOf(fieldOf(external, 'uri'));
  return [
    ...(parent === undefined ? [] : [line('Reply to', subject(repo, parent))]),
    element('p', { class: 'post-text' }, ...richText(textOf(value['text']) ?? '', value['facets'], repo)),
    ...(page === undefined
      ? []
      : [
          line(
            'Links to',
            linkTo(page, repo, textOf(fieldOf(external, 'title')) ?? page) ?? document.createTextNode(page),
          ),
        ]),
    ...(quoted === undefined ? [] : [line('Quotes', subject(repo, quoted))]),
    ...when(value),
  ];
};

const profile = (repo: Repo, value: RecordValue): readonly Node[] => [
  element('p', { class: 'profile-name' }, textOf(value['displayName']) ?? 'No display name'),
  line('', linkTo(repo.did, repo) ?? document.createTextNode(repo.did)),
  element('p', { class: 'post-text' }, textOf(value['description']) ?? ''),
  ...when(value),
];

const about =
  (words: string) =>
  (repo: Repo, value: RecordValue): readonly Node[] => [line(words, subject(repo, value['subject'])), ...when(value)];

const CARDS: ReadonlyMap<string, readonly [name: string, show: (repo: Repo, value: RecordValue) => readonly Node[]]> =
  new Map([
    ['app.bsky.actor.profile', ['Profile', profile]],
    ['app.bsky.feed.like', ['Like', about('Likes')]],
    ['app.bsky.feed.post', ['Post', post]],
    ['app.bsky.feed.repost', ['Repost', about('Reposts')]],
    ['app.bsky.graph.block', ['Block', about('Blocks')]],
    ['app.bsky.graph.follow', ['Follow', about('Follows')]],
  ]);

/** Returns the view of a record, or `undefined` for a collection without one. */
export const recordCard = (repo: Repo, collection: string, value: RecordValue): HTMLElement | undefined => {
  const card = CARDS.get(collection);
  return card && element('section', { class: 'card', 'aria-label': card[0] }, ...card[1](repo, value));
};
