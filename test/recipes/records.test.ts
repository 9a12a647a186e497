/** The recipes of docs/records.md for types and for `validate`, and values of other packages in a record. */
import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { CODEC_RAW, cidOf } from '../../src/core/data/cid.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import type { Validate } from '../../src/core/repo/record.ts';
import type { RecordValue, Repo } from '../../src/core/repo/repo.ts';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import { DID, POST } from '../../src/testing/repo/harness.ts';
import { root } from '../house/sources.ts';
import { RECIPES, isRecipesMissing, recipesWith } from './recipes.ts';

const OUT = join(RECIPES, 'out');
const run = promisify(execFile);

const NOTE = {
  lexicon: 1,
  id: 'com.example.note',
  defs: {
    main: {
      type: 'record',
      key: 'tid',
      record: {
        type: 'object',
        required: ['text', 'createdAt'],
        properties: {
          text: { type: 'string' },
          createdAt: { type: 'string', format: 'datetime' },
          file: { type: 'blob' },
        },
      },
    },
  },
};

/** Returns the compiler's errors for a module in a folder with the packages. */
const compile = async (name: string, code: string): Promise<string> => {
  const folder = join(OUT, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'recipe.ts'), code);
  const compilerOptions = {
    target: 'es2022',
    module: 'esnext',
    moduleResolution: 'bundler',
    lib: ['ES2022', 'ESNext.Disposable', 'DOM'],
    types: [],
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    paths: { pdsdb: [join(root, 'src', 'index.ts')] },
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['recipe.ts'] }));
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    await run(process.execPath, [compiler, '-p', folder, '--pretty', 'false']);
    return '';
  } catch (error) {
    // `npm run check` reports errors of the sources themselves.
    return (error as { stdout: string }).stdout
      .split('\n')
      .filter((line) => line.includes('recipe.ts'))
      .join('\n');
  }
};

const uses = (collection: string): string => `
import type { Repo } from 'pdsdb';
declare const repo: Repo;
const found = (await repo.getJson('${collection}', 'a'))!;
export const text: string = found.value.text;
// @ts-expect-error -- a text is not a number.
export const wrong: number = found.value.text;
for await (const { records } of repo.watch('${collection}')) {
  use(records[0]!.value.createdAt);
}
declare function use(text: string): void;
await repo.create('${collection}', { text: 'a', createdAt: '2026-01-01T00:00:00.000Z' });
// @ts-expect-error -- a post has a text.
await repo.create('${collection}', { createdAt: '2026-01-01T00:00:00.000Z' });
`;

const memoryRepo = (validate?: Validate): Repo =>
  repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore(), validate });

/** Returns a module in a folder with the packages. */
const load = async <T>(name: string, code: string): Promise<T> => {
  const path = join(OUT, `${name}.mjs`);
  await writeFile(path, (await transform(code, { loader: 'ts' })).code);
  return (await import(/* @vite-ignore */ pathToFileURL(path).href)) as T;
};

describe.skipIf(isRecipesMissing)('a recipe (needs test/recipes)', () => {
  beforeAll(async () => {
    await rm(OUT, { recursive: true, force: true });
    await mkdir(OUT, { recursive: true });
  });

  test.each(['@atcute/bluesky', '@atproto/api'])('types records with %s', async (imported) => {
    const recipe = recipesWith('typescript', imported).find((code) => code.includes('interface Records'));
    expect(await compile(imported.replaceAll('/', '-'), `${recipe}${uses(POST)}`)).toBe('');
  });

  test('types records with a generated lexicon', async () => {
    const folder = join(OUT, 'generated-lexicon');
    const lexicon = join(folder, 'lexicons', 'note.json');
    await mkdir(join(folder, 'lexicons'), { recursive: true });
    await writeFile(lexicon, JSON.stringify(NOTE));
    const lex = join(RECIPES, 'node_modules', '.bin', 'lex');
    await run(lex, ['gen-api', '--yes', join(folder, 'generated'), lexicon]);
    const [recipe] = recipesWith('typescript', './generated');
    expect(await compile('generated-lexicon', `${recipe}${uses('com.example.note')}`)).toBe('');
  });

  test.each([
    ['@atcute/lexicons', POST, { text: 'a', createdAt: '2026-01-01T00:00:00.000Z' }, { text: 'a' }],
    ['@atproto/lexicon', 'com.example.note', { text: 'a' }, { text: 'a'.repeat(301) }],
  ])('validates records with %s', async (imported, collection, right, wrong) => {
    const [recipe] = recipesWith('typescript', imported);
    expect(await compile(`validate-${imported.replaceAll('/', '-')}`, recipe!)).toBe('');
    const { validate } = await load<{ readonly validate: Validate }>(imported.replaceAll('/', '-'), recipe!);
    const repo = memoryRepo(validate);
    const { rkey } = await repo.create(collection, right);
    await expect(repo.create(collection, wrong)).rejects.toThrow(/text|createdAt/);
    await repo.create('com.example.unknown', wrong);
    expect((await repo.getJson(collection, rkey))?.value).toMatchObject(right);
    expect((await repo.info()).records).toBe(2);
  });

  test('a BlobRef of @atproto/api is a blob in a record', async () => {
    interface Api {
      readonly BlobRef: new (ref: unknown, mimeType: string, size: number) => object;
      readonly CID: { parse(text: string): unknown };
    }
    const { BlobRef, CID } = await load<Api>(
      'blob-ref',
      `export { BlobRef } from '@atproto/api'; export { CID } from 'multiformats/cid';`,
    );
    const cid = cidOf(CODEC_RAW, Uint8Array.of(1, 2, 3));
    const repo = memoryRepo();
    const value = { text: 'a', file: new BlobRef(CID.parse(String(cid)), 'image/png', 3) } as RecordValue;
    const { rkey } = await repo.create(POST, value);
    expect((await repo.getJson(POST, rkey))?.value).toMatchObject({
      file: { $type: 'blob', ref: { $link: String(cid) }, mimeType: 'image/png', size: 3 },
    });
    const missing: string[] = [];
    for await (const blob of repo.missingBlobs()) {
      missing.push(String(blob.cid));
    }
    expect(missing).toEqual([String(cid)]);
    const old = { text: 'a', file: new BlobRef(CID.parse(String(cid)), 'image/png', -1) } as RecordValue;
    await expect(repo.create(POST, old)).rejects.toMatchObject({ code: 'InvalidRecord' });
  });
});
