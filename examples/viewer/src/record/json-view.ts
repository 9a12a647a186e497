/** Shows a record as readable JSON, with formatted dates, short CIDs and links. */
import type { Repo } from 'pdsdb';
import { CID } from 'pdsdb';
import { element } from '../../../page/element.ts';
import { dateOf, formatCount, formatDate } from '../../../page/quantities.ts';
import { linkTo } from './links.ts';

/** The largest number of shown items or characters. A record may have a megabyte. */
const MAX_ITEMS = 500;
const MAX_TEXT = 20_000;

/** The number of shown characters of a CID, from its end, which differs between CIDs. */
const CID_HEAD = 8;
const CID_TAIL = 6;

export const shortCid = (text: string): string =>
  text.length > CID_HEAD + CID_TAIL + 1 ? `${text.slice(0, CID_HEAD)}…${text.slice(-CID_TAIL)}` : text;

/** A text with the form of an atproto CID. */
const CID_TEXT = /^baf[ky]rei[a-z2-7]{52}$/;

const span = (kind: string, text: string, title?: string): HTMLElement =>
  element('span', { class: `json-${kind}`, title }, text);

const quoted = (text: string): string =>
  JSON.stringify(
    text.length > MAX_TEXT
      ? `${text.slice(0, MAX_TEXT)}… (${formatCount(text.length - MAX_TEXT)} more characters)`
      : text,
  );

const cidNode = (text: string): HTMLElement => span('cid', shortCid(text), text);

const textNode = (text: string, repo: Repo): Node => {
  const link = linkTo(text, repo);
  if (link !== undefined) {
    return link;
  }
  if (CID_TEXT.test(text)) {
    return cidNode(text);
  }
  const date = dateOf(text);
  if (date !== undefined) {
    const node = document.createDocumentFragment();
    node.append(span('text', quoted(text)), element('time', { class: 'json-aside', datetime: text }, formatDate(date)));
    return node;
  }
  return span('text', quoted(text));
};

/** Entries, one per line, between brackets. */
const block = (open: string, close: string, lines: readonly Node[], hidden: number): Node => {
  if (lines.length === 0) {
    return span('mark', open + close);
  }
  const more = hidden === 0 ? [] : [element('div', { class: 'json-aside' }, `${formatCount(hidden)} more, not shown`)];
  return element(
    'span',
    {},
    span('mark', open),
    element('div', { class: 'json-block' }, ...lines, ...more),
    span('mark', close),
  );
};

const line = (key: string | undefined, value: Node, isLast: boolean): HTMLElement =>
  element(
    'div',
    {},
    ...(key === undefined ? [] : [span('key', key), span('mark', ': ')]),
    value,
    isLast ? undefined : span('mark', ','),
  );

/** Returns the elements for a value. Links into the repository stay in this page. */
export const jsonView = (value: unknown, repo: Repo): Node => {
  if (typeof value === 'string') {
    return textNode(value, repo);
  }
  if (typeof value !== 'object' || value === null) {
    return span('scalar', String(value));
  }
  if (value instanceof Uint8Array) {
    return span('aside', `${formatCount(value.length)} bytes`);
  }
  const cid = CID.asCID(value);
  if (cid !== null) {
    return cidNode(cid.toString());
  }
  if (Array.isArray(value)) {
    const shown = value.slice(0, MAX_ITEMS);
    return block(
      '[',
      ']',
      shown.map((item, i) => line(undefined, jsonView(item, repo), i === value.length - 1)),
      value.length - shown.length,
    );
  }
  const entries = Object.entries(value);
  const shown = entries.slice(0, MAX_ITEMS);
  return block(
    '{',
    '}',
    shown.map(([key, item], i) => line(key, jsonView(item, repo), i === entries.length - 1)),
    entries.length - shown.length,
  );
};
