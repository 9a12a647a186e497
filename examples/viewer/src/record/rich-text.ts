/**
 * Shows the text of a post with its facets: links, mentions and tags, by ranges of its UTF-8 bytes. Skips ranges that
 * overlap, go backwards or are outside of the text. https://docs.bsky.app/docs/advanced-guides/post-richtext
 */
import type { Repo } from 'pdsdb';
import { element } from '../../../page/element.ts';
import { fieldOf } from '../field.ts';
import { linkTo, webAddress } from './links.ts';

interface Range {
  readonly start: number;
  readonly end: number;
  /** The target: a DID or a web address. */
  readonly target: string;
}

const rangeOf = (facet: unknown): Range | undefined => {
  const index = fieldOf(facet, 'index');
  const [start, end] = [fieldOf(index, 'byteStart'), fieldOf(index, 'byteEnd')];
  const features = fieldOf(facet, 'features');
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || !Array.isArray(features)) {
    return undefined;
  }
  const targets = features.map((feature) => fieldOf(feature, 'uri') ?? fieldOf(feature, 'did'));
  const target = targets.find((one) => typeof one === 'string');
  return target === undefined ? undefined : { start: start as number, end: end as number, target };
};

/** The largest number of facets. A person does not write more facets than words. */
const MAX_FACETS = 1_000;

/** Returns the nodes of the text with its links. */
export const richText = (text: string, facets: unknown, repo: Repo): readonly Node[] => {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  const part = (start: number, end: number): string => decoder.decode(bytes.subarray(start, end));
  const ranges = (Array.isArray(facets) ? facets.slice(0, MAX_FACETS) : [])
    .map(rangeOf)
    .filter((range) => range !== undefined)
    .sort((a, b) => a.start - b.start);
  const nodes: Node[] = [];
  let at = 0;
  for (const { start, end, target } of ranges) {
    if (start >= at && end > start && end <= bytes.length) {
      nodes.push(document.createTextNode(part(at, start)));
      nodes.push(linkOf(target, part(start, end), repo));
      at = end;
    }
  }
  nodes.push(document.createTextNode(part(at, bytes.length)));
  return nodes;
};

/** A link that also shows its target if its text differs from it. */
const linkOf = (target: string, words: string, repo: Repo): Node => {
  const link = linkTo(target, repo, words);
  if (link === undefined) {
    return document.createTextNode(words);
  }
  const href = webAddress(target);
  if (href === undefined || words.includes(new URL(href).hostname)) {
    return link;
  }
  return element('span', {}, link, element('span', { class: 'quiet' }, ` (${new URL(href).hostname})`));
};
