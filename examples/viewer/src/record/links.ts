/** Makes links for URIs in records: into this repository if it has the target, otherwise to a site, or no link. */
import type { Repo } from 'pdsdb';
import { element } from '../../../page/element.ts';
import { didOf, parseUri } from './at-uri.ts';
import { outsideAddress } from '../outside.ts';
import { addressOf } from '../route.ts';

/** A link to another site, which opens in a new tab. */
const outLink = (href: string, content: string): HTMLElement =>
  element('a', { href, target: '_blank', rel: 'noreferrer noopener' }, content);

/** Returns the address of a web page, or `undefined`. Only `http:` and `https:` become links. */
export const webAddress = (text: string): string | undefined => {
  if (!/^https?:\/\/[^\s]+$/i.test(text) || !URL.canParse(text)) {
    return undefined;
  }
  const { protocol, href } = new URL(text);
  return protocol === 'http:' || protocol === 'https:' ? href : undefined;
};

/** Replaces an internal link with an external one if the repository lacks the target. */
const leadOut = async (link: HTMLElement, repo: Repo, uri: string, content: string): Promise<void> => {
  const { collection, rkey } = parseUri(uri) ?? {};
  if (collection === undefined || rkey === undefined) {
    return;
  }
  try {
    if ((await repo.getBytes(`${collection}/${rkey}`)) === undefined) {
      link.replaceWith(otherLink(uri, content));
    }
  } catch {
    // The link stays, and its target shows the error.
  }
};

const otherLink = (text: string, content: string): HTMLElement => {
  const href = outsideAddress(text);
  return href === undefined ? element('span', { title: text }, content) : outLink(href, content);
};

/**
 * Returns a link for a text, with `content` inside, or `undefined` if the text is not a URI. Whether the
 * repository has the record is checked afterwards.
 */
export const linkTo = (text: string, repo: Repo, content: string = text): HTMLElement | undefined => {
  const uri = parseUri(text);
  if (uri !== undefined && uri.authority === repo.did) {
    const { collection, rkey } = uri;
    const href = addressOf({ did: repo.did, collection, rkey });
    const link = element('a', { href, 'data-internal': true, title: 'In this repository' }, content);
    void leadOut(link, repo, text, content);
    return link;
  }
  if (text === repo.did) {
    return element(
      'a',
      { href: addressOf({ did: repo.did }), 'data-internal': true, title: 'This repository' },
      content,
    );
  }
  if (uri !== undefined || didOf(text) !== undefined) {
    return otherLink(text, content);
  }
  const href = webAddress(text);
  return href === undefined ? undefined : outLink(href, content);
};
