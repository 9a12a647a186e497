/**
 * Reads the XML of an S3 server: elements and their text. Attributes, comments and instructions are skipped. A document
 * type is refused, so no entity can be declared.
 */
import { RepoError } from '../../core/errors.ts';

/** Bytes of an XML response. A list of 1,000 keys of 1,024 bytes has at most 6.5 MB. */
export const MAX_XML_SIZE: number = 8 * 1024 * 1024;

/** Elements of an XML response. A list of 1,000 keys has about 10,000. */
export const MAX_XML_ELEMENTS = 65_536;

export interface XmlElement {
  /** Without the prefix of a namespace. */
  readonly name: string;
  readonly children: XmlElement[];
  /** The text between its children, with entities decoded. */
  text: string;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', apos: "'", gt: '>', lt: '<', quot: '"' };

const malformed = (what: string): RepoError =>
  new RepoError('Malformed', `the XML is not valid: ${what}. Check that the endpoint is an S3 server`);

const decodeText = (text: string): string =>
  text.replace(/&([^;&]{0,12};?)/g, (_, entity: string) => {
    const number = /^#(?:(\d{1,7})|x([0-9a-fA-F]{1,6}));$/.exec(entity);
    if (number !== null) {
      const code = number[1] === undefined ? Number.parseInt(number[2]!, 16) : Number(number[1]);
      if (code <= 0x10ffff) {
        return String.fromCodePoint(code);
      }
    }
    const named = entity.endsWith(';') && Object.hasOwn(NAMED, entity.slice(0, -1)) ? NAMED[entity.slice(0, -1)] : '';
    if (named === undefined || named === '') {
      throw malformed('it has an unknown entity');
    }
    return named;
  });

/** Markup that is skipped, by how it begins and ends. */
const SKIPPED: readonly (readonly [start: string, end: string])[] = [
  ['<!--', '-->'],
  ['<?', '?>'],
];
const CDATA = '<![CDATA[';

/**
 * Returns the root element.
 * @throws {RepoError} `Malformed` if the text is not complete XML; `LimitExceeded`.
 */
export const parseXml = (xml: string): XmlElement => {
  const top: XmlElement = { name: '', children: [], text: '' };
  const open = [top];
  let count = 0;
  let at = 0;
  /** Returns the position of `end`, and moves behind it. */
  const find = (end: string, from: number): number => {
    const found = xml.indexOf(end, from);
    if (found < 0) {
      throw malformed('it ends early');
    }
    at = found + end.length;
    return found;
  };
  while (at < xml.length) {
    const start = at;
    const current = open.at(-1)!;
    if (xml[at] !== '<') {
      const end = xml.indexOf('<', at);
      at = end < 0 ? xml.length : end;
      current.text += decodeText(xml.slice(start, at));
      continue;
    }
    const skipped = SKIPPED.find(([begin]) => xml.startsWith(begin, start));
    if (skipped !== undefined) {
      find(skipped[1], start + skipped[0].length);
      continue;
    }
    if (xml.startsWith(CDATA, start)) {
      const from = start + CDATA.length;
      current.text += xml.slice(from, find(']]>', from));
      continue;
    }
    const tag = xml.slice(start + 1, find('>', start));
    const name = /^\/?([^\s/<!?&="']+)/.exec(tag)?.[1];
    if (name === undefined) {
      throw malformed('it has a tag without a name, or a document type');
    }
    const local = name.slice(name.indexOf(':') + 1);
    if (tag.startsWith('/')) {
      if (open.length === 1 || current.name !== local) {
        throw malformed('an element ends that is not open');
      }
      open.pop();
      continue;
    }
    if (++count > MAX_XML_ELEMENTS) {
      throw new RepoError(
        'LimitExceeded',
        `the XML has more than ${MAX_XML_ELEMENTS} elements. Check that the endpoint is an S3 server`,
      );
    }
    const element: XmlElement = { name: local, children: [], text: '' };
    current.children.push(element);
    if (!tag.endsWith('/')) {
      open.push(element);
    }
  }
  const [root, second] = top.children;
  if (open.length > 1 || root === undefined || second !== undefined || top.text.trim() !== '') {
    throw malformed('it is not one complete element');
  }
  return root;
};

/** Returns the children of this name. */
export const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child) => child.name === name);

/** Returns the text of the first child of this name, or `undefined`. */
export const childText = (element: XmlElement, name: string): string | undefined =>
  element.children.find((child) => child.name === name)?.text;
