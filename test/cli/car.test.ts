/** The verbs for CARs: `prove`, `tree`, and those of `car`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cidOf, CODEC_RAW, readCar, writeCar } from '../../src/index.ts';
import { vectorPath } from '../vectors.ts';
import { pdsdb } from './run-command.ts';
import { createSampleAccount, DID, json, POST } from './sample-account.ts';

const PROFILE = 'app.bsky.actor.profile/self';
let folder: string;
let remove: () => Promise<void>;
let key: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
  [{ did: key }] = (await json(['key', 'inspect', at('key')])) as [{ readonly did: string }];
  await json(['export', at('alice'), '-o', at('alice.car')]);
});
afterAll(() => remove());

describe('prove', () => {
  test('makes a proof of a record and of its absence, and checks it', async () => {
    expect(await json(['prove', at('alice'), PROFILE, '-o', at('proof.car')])).toMatchObject([
      { file: at('proof.car') },
    ]);
    const check = ['prove', '--check', at('proof.car'), PROFILE, '--did', DID, '--key', key];
    expect(await json(check)).toMatchObject([{ state: 'present', value: { displayName: 'Alice' } }]);
    await json(['prove', at('alice.car'), `${POST}/none`, '-o', at('none.car')]);
    expect(await json(['prove', '--check', at('none.car'), `${POST}/none`, '--did', DID, '--key', key])).toMatchObject([
      { state: 'absent', rev: expect.any(String) as string },
    ]);
  });

  test('exit code 1 for a proof of another record, of another key, and for another file', async () => {
    const check = async (file: string, path: string, by: string): ReturnType<typeof pdsdb> =>
      pdsdb(['prove', '--check', at(file), path, '--did', DID, '--key', by]);
    await json(['key', 'generate', '-o', at('other')]);
    expect(await check('proof.car', PROFILE, at('other'))).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^state +invalid$/m),
    });
    expect(await check('latin-1.json', PROFILE, key)).toMatchObject({ code: 1 });
    expect((await pdsdb(['prove', '--check', at('proof.car'), PROFILE])).stderr).toContain('--did');
    expect((await pdsdb(['prove', at('alice'), PROFILE], { isTTY: true })).stderr).toContain('terminal');
  });
});

describe('tree', () => {
  test('prints every node and record, with the marks of goat', async () => {
    const { stdout } = await pdsdb(['tree', at('alice')]);
    expect(stdout).toMatch(/^\[….{7}\]─◉\n/);
    expect(stdout).toMatch(/[├└]── app\.bsky\.actor\.profile\/self \[….{7}\]─◉/);
    expect(stdout.match(/─◉/g)!.length).toBeGreaterThanOrEqual(5);
    expect((await pdsdb(['tree', at('alice.car')])).stdout).toBe(stdout);
    const nodes = (await json(['tree', at('alice')])) as { readonly kind: string; readonly key?: string }[];
    expect(nodes.filter(({ kind }) => kind === 'record').map((node) => node.key)).toEqual([
      PROFILE,
      ...['a', 'b', 'c'].map((end) => `${POST}/3l3qo2vutsw2${end}`),
    ]);
  });

  test('marks missing blocks of a proof and of a slice', async () => {
    expect((await pdsdb(['tree', at('proof.car'), '--full'])).stdout).toMatch(/\[bafyrei\w+\]─◌/);
    expect((await pdsdb(['tree', vectorPath('repos/repo_slice.car')])).stdout).toContain('─◌');
    const [top] = (await json(['tree', at('alice')])) as { readonly cid: string }[];
    expect((await pdsdb(['tree', at('alice'), '--root', top!.cid, '--full'])).stdout).toContain(`[${top!.cid}]─◉`);
  });
});

describe('export of a collection since a rev', () => {
  test('has the changed records of the collection, and the nodes on the way to them', async () => {
    await json(['init', at('host'), '--did', DID]);
    const put = async (path: string, value: string): Promise<string> =>
      ((await json(['put', at('host'), path, value])) as [{ readonly commit: { readonly rev: string } }])[0].commit.rev;
    for (let i = 0; i < 30; i++) {
      await put(`${POST}/${i}`, `{"text":"${i}"}`);
    }
    const since = await put(PROFILE, '{"displayName":"1"}');
    await put(`${POST}/7`, '{"text":"changed"}');
    await put(PROFILE, '{"displayName":"2"}');
    const args = ['export', at('host'), '--since', since, '-o'];
    await json([...args, at('since.car')]);
    await json([...args, at('posts.car'), '--collection', POST]);
    await json([...args, at('likes.car'), '--collection', 'app.bsky.feed.like']);
    const textsOf = (name: string): string[] =>
      [...readCar(readFileSync(at(name)))]
        .map(({ bytes }) => Buffer.from(bytes).toString('latin1'))
        .filter((block) => block.includes('$type'))
        .map((block) => /changed|displayName/.exec(block)?.[0] ?? '');
    expect(textsOf('since.car').sort()).toEqual(['changed', 'displayName']);
    expect(textsOf('posts.car')).toEqual(['changed']);
    expect(textsOf('likes.car')).toEqual([]);
    const marks = (await pdsdb(['tree', at('posts.car')])).stdout;
    expect(marks).toMatch(/∙7 \[….{7}\]─◉/);
    expect(await pdsdb([...args, at('x.car'), '--ndjson'])).toMatchObject({ code: 1 });
  });
});

describe('car', () => {
  test('verify and ls do what the verbs without car do', async () => {
    for (const args of [
      ['verify', at('alice.car'), '--key', key],
      ['ls', at('alice.car')],
      ['ls', at('alice.car'), POST, '--values', '--limit', '2', '--json'],
    ]) {
      const expected = await pdsdb(args);
      expect(expected.code).toBe(0);
      expect(await pdsdb(['car', ...args])).toEqual(expected);
    }
    expect(await pdsdb(['car', 'ls', '-'], { input: readFileSync(at('alice.car')) })).toEqual(
      await pdsdb(['car', 'ls', at('alice.car')]),
    );
    expect(await pdsdb(['car', 'verify', at('proof.car')])).toMatchObject({ code: 1 });
  });

  test.each(['verify', 'ls'])('%s refuses a repository', async (verb) => {
    expect(await pdsdb(['car', verb, at('alice')])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('it is a folder'),
    });
  });

  test('diff lists the records that differ', async () => {
    await json(['put', at('alice'), PROFILE, '{"displayName":"B"}', '--key', at('key')]);
    await json(['rm', at('alice'), `${POST}/3l3qo2vutsw2b`, '--key', at('key')]);
    await json(['put', at('alice'), `${POST}/new`, '{"text":"new"}', '--key', at('key')]);
    await json(['export', at('alice'), '-o', at('later.car')]);
    const changes = (await json(['car', 'diff', at('alice.car'), at('later.car')])) as unknown[];
    expect(changes).toMatchObject([
      { action: 'update', path: PROFILE },
      { action: 'delete', path: `${POST}/3l3qo2vutsw2b` },
      { action: 'create', path: `${POST}/new` },
    ]);
    expect(await json(['car', 'diff', at('later.car'), at('later.car')])).toEqual([]);
  });

  test('compact removes blocks that the root does not reach, and duplicates', async () => {
    const { roots } = readCar(readFileSync(at('alice.car')));
    const blocks = [...readCar(readFileSync(at('alice.car')))];
    const unreached = new Uint8Array([1, 2, 3]);
    const padded = [...blocks]
      .reverse()
      .concat(blocks[0]!, { ...blocks[0]!, cid: cidOf(CODEC_RAW, unreached), bytes: unreached });
    writeFileSync(at('padded.car'), writeCar(roots, padded));
    const [result] = await json(['car', 'compact', at('padded.car'), at('compact.car')]);
    expect(result).toMatchObject({ blocks: blocks.length, removed: 1, file: at('compact.car') });
    expect(readFileSync(at('compact.car'))).toEqual(readFileSync(at('alice.car')));
    const again = await pdsdb(['car', 'compact', at('padded.car'), at('compact.car')]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('--force') });
  });
});
