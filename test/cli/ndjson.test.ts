/** `export --ndjson` and `import --ndjson`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KEY } from '../../src/testing/repo/harness.ts';
import { badCar } from '../adapters/folders/odd-records.ts';
import { jsonLines, pdsdb } from './run-command.ts';
import { createSampleAccount, DID, exists, json, LATIN_1, POST } from './sample-account.ts';

let folder: string;
let remove: () => Promise<void>;
const at = (name: string): string => join(folder, name);

interface Line {
  readonly uri: string;
  readonly cid: string;
  readonly value: Readonly<Record<string, unknown>>;
}

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
});
afterAll(() => remove());

const exported = async (...args: readonly string[]): Promise<Line[]> => {
  const outcome = await pdsdb(['export', at('alice'), '--ndjson', ...args], { isTTY: true });
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  return jsonLines(outcome.stdout) as Line[];
};

describe('export', () => {
  test('writes a line per record, in key order', async () => {
    const lines = await exported();
    expect(lines.map(({ uri }) => uri)).toEqual([
      `at://${DID}/app.bsky.actor.profile/self`,
      ...['a', 'b', 'c'].map((end) => `at://${DID}/${POST}/3l3qo2vutsw2${end}`),
    ]);
    expect(lines[1]!.value).toEqual({ $type: POST, text: 'post 0' });
    expect((await exported('--collection', POST)).length).toBe(3);
  });

  test('writes a file, and an older state', async () => {
    const [result] = await json(['export', at('alice'), '--ndjson', '-o', at('all.ndjson')]);
    expect(result).toMatchObject({ records: 4, file: at('all.ndjson'), bytes: readFileSync(at('all.ndjson')).length });
    const log = (await json(['log', at('alice')])) as { readonly rev: string }[];
    expect(await exported('--at', log.at(-2)!.rev)).toHaveLength(1);
  });

  test('keeps the bytes of a record outside the data model', async () => {
    writeFileSync(at('bad.car'), await badCar(DID, KEY));
    const { stdout } = await pdsdb(['export', at('bad.car'), '--ndjson']);
    const lines = jsonLines(stdout) as { readonly uri: string; readonly bytes?: unknown; readonly value?: unknown }[];
    expect(lines).toHaveLength(8);
    expect(lines.find(({ uri }) => uri.endsWith('/notype'))).toMatchObject({ bytes: { $bytes: 'oWFhAQ' } });
  });

  test('--collection also applies to a CAR', async () => {
    await json(['export', at('alice'), '--collection', POST, '-o', at('posts.car')]);
    expect(await json(['ls', at('posts.car'), POST, '--values'])).toHaveLength(3);
    const other = await pdsdb(['get', at('posts.car'), 'app.bsky.actor.profile/self']);
    expect(other).toMatchObject({ code: 1, stdout: '' });
  });

  test.each([
    [['--since', '3l3qo2vutsw2b', '--ndjson'], '--since'],
    [['--ndjson', '--at', 'nothing'], 'name=nothing'],
    [['--ndjson', '--collection', `${POST}/a`], 'pdsdb get'],
  ])('refuses %j', async (args, message) => {
    const outcome = await pdsdb(['export', at('alice'), ...args]);
    expect(outcome).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(message) });
  });
});

describe('import', () => {
  const into = async (name: string, input: string | Uint8Array): ReturnType<typeof pdsdb> => {
    if (!(await exists(at(name)))) {
      await json(['init', at(name), '--did', DID, '--key', at('key')]);
    }
    return pdsdb(['import', at(name), '-', '--ndjson', '--key', at('key'), '--json'], { input });
  };

  test('of an export gives the same records, and a second time nothing', async () => {
    const lines = (await pdsdb(['export', at('alice'), '--ndjson'])).stdout;
    const first = await into('copy', lines);
    expect(JSON.parse(first.stdout)).toMatchObject({ created: 4, updated: 0, unchanged: 0 });
    const [info, original] = [await json(['info', at('copy')]), await json(['info', at('alice')])] as {
      data: string;
    }[][];
    expect(info![0]!.data).toBe(original![0]!.data);
    const second = JSON.parse((await into('copy', lines)).stdout) as Record<string, unknown>;
    expect(second).toEqual({ ...JSON.parse(first.stdout), created: 0, unchanged: 4 });
  });

  test('accepts paths, blank lines, CRLF and a missing last line break', async () => {
    const lines = [
      `{"path":"${POST}/x","value":{"text":"one"}}\r`,
      '',
      `{"uri":"at://${DID}/${POST}/y","value":{"$type":"${POST}","raw":{"$bytes":"AQI"}}}`,
    ];
    expect(JSON.parse((await into('paths', lines.join('\n'))).stdout)).toMatchObject({ created: 2 });
    const update = await into('paths', `{"path":"${POST}/x","value":{"text":"two"}}`);
    expect(JSON.parse(update.stdout)).toMatchObject({ created: 0, updated: 1 });
    expect(await json(['get', at('paths'), `${POST}/y`])).toMatchObject([{ value: { raw: { $bytes: 'AQI' } } }]);
  });

  const good = `{"path":"${POST}/good","value":{"text":"good"}}`;
  test.each<[string, string | Uint8Array]>([
    ['is not JSON', '{'],
    ['is a list', '[]'],
    ['has no path', '{"value":{}}'],
    ['has no record key', `{"path":"${POST}","value":{}}`],
    ['has no value', `{"path":"${POST}/a"}`],
    ['has a text as value', `{"path":"${POST}/a","value":"text"}`],
    ['has a float', `{"path":"${POST}/a","value":{"n":1.5}}`],
    ['has another $type', `{"path":"${POST}/a","value":{"$type":"app.bsky.feed.like"}}`],
    ['has another cid', `{"path":"${POST}/a","cid":"bafyreib2rxk3rh6kzwq","value":{}}`],
    ['has an invalid collection', '{"path":"posts/a","value":{}}'],
    ['has an invalid record key', `{"path":"${POST}/a b","value":{}}`],
    ['is of another account', `{"uri":"at://did:web:b.example/${POST}/a","value":{}}`],
    ['has the path of an earlier line', good],
    [
      'has an old blob',
      `{"path":"${POST}/a","value":{"b":{"cid":"bafkreibme22gw2h7y2h7tg2fhqotaqjucnbc24deqo72b6mkl2egezxhvy","mimeType":"a/b"}}}`,
    ],
    ['is too large', `{"path":"${POST}/a","value":{"t":"${'x'.repeat(1_000_001)}"}}`],
    ['is not UTF-8', LATIN_1],
  ])('names a line that %s, and writes nothing', async (_, line) => {
    const outcome = await into('refused', Buffer.concat([Buffer.from(`${good}\n\n`), Buffer.from(line)]));
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: Line 3 [^\n]*\n$/) });
    expect(await json(['ls', at('refused')])).toEqual([]);
  });

  test('into a missing repository is refused', async () => {
    const outcome = await pdsdb(['import', at('missing'), '-', '--ndjson'], { input: good });
    expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining(at('missing')) });
    expect(await exists(at('missing'))).toBe(false);
  });
});
