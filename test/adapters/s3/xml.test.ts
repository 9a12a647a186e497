import { expect, test } from 'vitest';
import { MAX_XML_ELEMENTS, childText, childrenOf, parseXml } from '../../../src/adapters/s3/xml.ts';

const code = (value: string): object => expect.objectContaining({ name: 'RepoError', code: value });

test('elements and their text', () => {
  const list = parseXml(`<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment with <tags> -->
<s3:List xmlns:s3="http://s3.example/doc/">
  <Contents a='1'><Key>a &amp; &lt;b&gt; &quot;&apos; &#228;&#x1F600;</Key><Owner><ID>x</ID></Owner><Size>1</Size></Contents>
  <Contents><Key><![CDATA[<raw> &amp;]]></Key><Empty/><None></None></Contents>
</s3:List>
`);
  expect(list.name).toBe('List');
  const [first, second] = childrenOf(list, 'Contents');
  expect(childText(first!, 'Key')).toBe('a & <b> "\' ä😀');
  expect([childText(first!, 'Size'), childText(first!, 'ID')]).toEqual(['1', undefined]);
  expect(childText(second!, 'Key')).toBe('<raw> &amp;');
  expect([childText(second!, 'Empty'), childText(second!, 'None')]).toEqual(['', '']);
});

test.each([
  '',
  'text',
  '<a>',
  '<a><b></a></b>',
  '</a>',
  '<a></a><b></b>',
  '<a></a>text',
  '<a',
  '<a><!-- ',
  '<a><![CDATA[x</a>',
  '<>x</>',
  '< a></a>',
  '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
  '<a>&b;</a>',
  '<a>&amp</a>',
  '<a>& </a>',
  '<a>&#x110000;</a>',
  '<a>&#-1;</a>',
  '<a>&constructor;</a>',
])('%j is not valid XML', (xml) => {
  expect(() => parseXml(xml)).toThrow(code('Malformed'));
});

test('the number of elements is limited', () => {
  const of = (count: number): string => `<a>${'<b/>'.repeat(count - 1)}</a>`;
  expect(parseXml(of(MAX_XML_ELEMENTS)).children.length).toBe(MAX_XML_ELEMENTS - 1);
  expect(() => parseXml(of(MAX_XML_ELEMENTS + 1))).toThrow(code('LimitExceeded'));
});

test('the depth of elements does not depend on the stack', () => {
  const depth = MAX_XML_ELEMENTS;
  expect(parseXml('<a>'.repeat(depth) + '</a>'.repeat(depth)).name).toBe('a');
});
