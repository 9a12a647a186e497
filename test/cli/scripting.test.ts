/** The contract for scripts: exit codes, error codes, and unchanged files. */
import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { jsonLines, pdsdb } from './run-command.ts';
import { LATIN_1, POST, createSampleAccount, exists, json } from './sample-account.ts';

let folder: string;
let remove: () => Promise<void>;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
});
afterAll(() => remove());

/** Returns the SHA-256 of each file in a folder and its subfolders. */
const hashesOf = async (directory: string): Promise<Record<string, string>> => {
  const hashes: Record<string, string> = {};
  for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
    if (!entry.isDirectory()) {
      const path = join(entry.parentPath, entry.name);
      hashes[relative(directory, path)] = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
    }
  }
  return Object.fromEntries(Object.entries(hashes).sort());
};

describe('contract for scripts', () => {
  test.each([
    ['RecordNotFound', () => ['get', at('alice'), `${POST}/none`]],
    ['RecordNotFound', () => ['rm', at('alice'), `${POST}/none`, '--key', at('key')]],
    ['RepoNotFound', () => ['info', at('nowhere')]],
    ['SignerRequired', () => ['put', at('alice'), `${POST}/a`, '{"text":"unsigned"}']],
    ['InvalidRequest', () => ['put', at('alice'), `${POST}/a`, '{"text":']],
    ['InvalidRequest', () => ['put', at('alice'), `${POST}/a`, '[]']],
    ['InvalidRequest', () => ['get', at('alice'), POST]],
    ['InvalidRequest', () => ['get', at('alice')]],
    ['InvalidRequest', () => ['ls', at('alice'), POST, '--limit', '-1']],
    ['InvalidRequest', () => ['ls', at('alice'), '--cursor', 'a']],
    ['InvalidRequest', () => ['ls', '--nonsense', at('alice')]],
    ['InvalidRequest', () => ['nonsense']],
    ['InvalidRequest', () => ['put', at('alice'), `${POST}/a`, `@${at('latin-1.json')}`, '--key', at('key')]],
    ['InvalidRequest', () => ['put', at('alice'), `${POST}/a`, `@${at('endless.json')}`, '--key', at('key')]],
    ['InvalidRequest', () => ['put', at('alice'), `${POST}/a`, `@${folder}`, '--key', at('key')]],
    ['InvalidRequest', () => ['put', at('alice'), `${POST}/a`, '{}', '--key', folder]],
    ['InvalidRequest', () => ['import', at('new'), folder]],
    ['InvalidRequest', () => ['import', at('alice'), folder]],
    ['InvalidRequest', () => ['blob', 'add', at('alice'), folder]],
    ['InvalidRequest', () => ['export', at('alice'), '-o', folder, '--force']],
    ['InvalidRecord', () => ['put', at('alice'), `${POST}/a`, '{"half":0.5}', '--key', at('key')]],
    ['InvalidCollection', () => ['put', at('alice'), 'posts/a', '{}', '--key', at('key')]],
    ['ENOENT', () => ['put', at('alice'), `${POST}/a`, '@/nonexistent']],
    ['ENOENT', () => ['import', at('new'), '/nonexistent']],
    [
      'BlobNotFound',
      () => [
        'blob',
        'get',
        at('alice'),
        'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
        '-o',
        at('blob'),
      ],
    ],
    ['RefNotFound', () => ['refs', 'rm', at('alice'), 'nothing']],
    ['InvalidDid', () => ['init', at('new'), '--did', 'alice']],
  ])('%s: exit code 1, a sentence, and with --json the code (%#)', async (code, args) => {
    const before = await pdsdb(['info', at('alice')]);
    const plain = await pdsdb(args());
    expect(plain).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: .+\n$/) });
    const withJson = await pdsdb([...args(), '--json']);
    expect(withJson).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: /) });
    expect(jsonLines(withJson.stdout)).toEqual([{ error: code, message: expect.any(String) }]);
    expect(await exists(at('new'))).toBe(false);
    expect(await pdsdb(['info', at('alice')])).toEqual(before);
  });

  test('an error for an invalid file names the file', async () => {
    for (const args of [
      ['import', at('new'), folder],
      ['blob', 'add', at('alice'), folder],
    ]) {
      expect((await pdsdb(args)).stderr).toBe(
        `error: Cannot read ${folder}: it is a folder. Give the path of a file.\n`,
      );
    }
    expect((await pdsdb(['put', at('alice'), `${POST}/a`, `@${at('latin-1.json')}`])).stderr).toBe(
      `error: The input is not UTF-8. Convert it to UTF-8; input=${at('latin-1.json')}\n`,
    );
    const piped = await pdsdb(['put', at('alice'), `${POST}/a`, '-', '--key', at('key')], { input: LATIN_1 });
    expect(piped).toMatchObject({
      code: 1,
      stderr: 'error: The input is not UTF-8. Convert it to UTF-8; input=standard input\n',
    });
  });

  test.each([[[]], [['blob']]])(
    'without a verb, the command prints the help, and with --json an error (%#)',
    async (args) => {
      expect(await pdsdb(args)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('Commands:') });
      const [error] = jsonLines((await pdsdb([...args, '--json'])).stdout);
      expect(error).toEqual({
        error: 'InvalidRequest',
        message: 'The verb is missing. To list the verbs, run pdsdb --help.',
      });
    },
  );

  test('nothing is overwritten without --force', async () => {
    const precious = async (name: string): Promise<string> => {
      await writeFile(at(name), 'precious');
      return at(name);
    };
    for (const args of [
      ['export', at('alice'), '-o', await precious('precious.car')],
      ['key', 'generate', '-o', await precious('precious.key')],
    ]) {
      const file = args.at(-1)!;
      expect(jsonLines((await pdsdb([...args, '--json'])).stdout)).toEqual([
        { error: 'FileExists', message: expect.any(String) },
      ]);
      expect(await readFile(file, 'utf8')).toBe('precious');
      await json([...args, '--force']);
      expect(await readFile(file, 'utf8')).not.toBe('precious');
    }
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('a failed import into a new folder leaves no folder behind', async () => {
    await json(['export', at('alice'), '-o', at('whole.car')]);
    const whole = await readFile(at('whole.car'));
    const before = await readdir(folder);
    const { did: stranger } = (await json(['key', 'generate']))[0] as { did: string };
    for (const [car, ...more] of [
      [whole.subarray(0, whole.length - 10)],
      [whole.subarray(0, 20)],
      [Buffer.alloc(0)],
      [Buffer.from('not a CAR at all')],
      [whole, '--key', stranger],
    ] as [Buffer, ...string[]][]) {
      const outcome = await pdsdb(['import', at('failed/deep'), '-', ...more], { input: car });
      expect(outcome).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^error: /) });
      await writeFile(at('bad.car'), car);
      expect(await pdsdb(['import', at('failed/deep'), at('bad.car'), ...more])).toEqual(outcome);
    }
    expect((await readdir(folder)).filter((name) => name !== 'bad.car')).toEqual(before);
  });

  test('damaged input does not change a byte of a repository', async () => {
    await json(['import', at('kept'), at('whole.car')]);
    await json(['blob', 'add', at('kept'), at('key')]);
    // A newer CAR, so that only the damage is a reason to refuse it.
    await json(['put', at('alice'), `${POST}/newer`, '{"text":"newer"}', '--key', at('key')]);
    await json(['export', at('alice'), '-o', at('newer.car')]);
    const newer = await readFile(at('newer.car'));
    const before = await hashesOf(at('kept'));
    expect(Object.keys(before)).toEqual([expect.stringMatching(/^blobs\/ba\/baf/), 'pds.db']);
    for (const damaged of [
      newer.with(newer.length >> 1, newer[newer.length >> 1]! ^ 1),
      newer.subarray(0, -10),
      Buffer.from('Dear sir or madam,\n'),
    ]) {
      await writeFile(at('bad.car'), damaged);
      expect(await pdsdb(['import', at('kept'), at('bad.car')])).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^error: [^\n]+\n$/),
      });
      expect(await hashesOf(at('kept'))).toEqual(before);
    }
    expect(await json(['import', at('kept'), at('newer.car')])).toMatchObject([{ created: 1 }]);
  });

  test('verify has exit code 1 if there is a fault', async () => {
    await json(['import', at('damaged'), at('whole.car')]);
    const { did: stranger } = (await json(['key', 'generate']))[0] as { did: string };
    const faulty = await pdsdb(['verify', at('damaged'), '--key', stranger, '--json']);
    expect(faulty).toMatchObject({
      code: 1,
      stderr: 'error: 1 fault found. To repair a repository, run pdsdb repair.\n',
    });
    expect(jsonLines(faulty.stdout)).toEqual([
      {
        ok: false,
        faultCount: 1,
        faults: [expect.objectContaining({ code: 'InvalidSignature', message: expect.any(String) })],
        signature: 'invalid',
        records: 4,
        blocks: 7,
        blobs: 0,
      },
    ]);
    expect((await pdsdb(['verify', at('damaged'), '--key', stranger])).stdout).toMatch(/^InvalidSignature\t/);
  });
});
