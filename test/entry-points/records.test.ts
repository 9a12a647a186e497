/** The types of typed records. `npm run check` compiles this; nothing is checked at run time. */
import type * as core from 'pdsdb';
import type { Branch, CID, JsonRecord, Repo } from 'pdsdb';
import { expectTypeOf, test } from 'vitest';

interface Note {
  readonly $type: 'com.example.typed';
  readonly text: string;
  readonly link?: { readonly $link: string };
  readonly blob?: core.JsonBlob;
}

declare module 'pdsdb' {
  interface Records {
    'com.example.typed': Note;
  }
}

const repo = {} as Repo;
const untyped = 'com.example.other';

test('a collection of Records has its type, and any other has JSON', () => {
  const get = () => repo.getJson('com.example.typed', 'a');
  expectTypeOf(get).returns.resolves.toEqualTypeOf<JsonRecord<'com.example.typed'> | undefined>();
  expectTypeOf<JsonRecord<'com.example.typed'>['value']>().toEqualTypeOf<Note>();
  expectTypeOf<JsonRecord<typeof untyped>['value']>().toEqualTypeOf<core.JsonObject>();
  expectTypeOf<JsonRecord['value']>().toEqualTypeOf<core.JsonObject>();
  const other = () => repo.getJson(untyped as string, 'a');
  expectTypeOf(other).returns.resolves.toEqualTypeOf<JsonRecord | undefined>();
});

test('lists, watches and branches also have the type', () => {
  const list = () => repo.listJson('com.example.typed', { limit: 1 });
  expectTypeOf(list).returns.toEqualTypeOf<AsyncIterable<JsonRecord<'com.example.typed'>>>();
  const watch = () => repo.watch('com.example.typed');
  expectTypeOf(watch).returns.toEqualTypeOf<core.RecordWatch<'com.example.typed'>>();
  expectTypeOf<Branch['getJson']>().toEqualTypeOf<Repo['getJson']>();
});

test('create accepts the type without $type, with links and blobs in both forms', () => {
  const cid = {} as CID;
  const blob = {} as core.BlobRef;
  void (() => [
    repo.create('com.example.typed', { text: 'a' }),
    repo.create('com.example.typed', { $type: 'com.example.typed', text: 'a', link: { $link: 'bafy' } }),
    repo.create('com.example.typed', { text: 'a', link: cid, blob }),
    repo.create('com.example.typed', new Uint8Array()),
    repo.create(untyped, { anything: cid }),
    // @ts-expect-error -- the text is missing.
    repo.create('com.example.typed', {}),
    // @ts-expect-error -- a text is not a number.
    repo.create('com.example.typed', { text: 5 }),
  ]);
});

test('types with classes have a JSON form', () => {
  type Form = core.JsonForm<{ bytes: Uint8Array; link: CID; list: CID[]; text?: string; any: unknown }>;
  expectTypeOf<Form['bytes']>().toEqualTypeOf<{ readonly $bytes: string }>();
  expectTypeOf<Form['link']>().toEqualTypeOf<{ readonly $link: string }>();
  expectTypeOf<Form['list'][0]>().toEqualTypeOf<{ readonly $link: string }>();
  expectTypeOf<Form['text']>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Form['any']>().toEqualTypeOf<unknown>();
});
