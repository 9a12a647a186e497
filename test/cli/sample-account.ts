/** An account for the tests of the command: a key, a repository, and files with invalid input. */
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { RunOptions } from './run-command.ts';
import { jsonLines, pdsdb } from './run-command.ts';

export const DID = 'did:web:alice.example';
export const POST = 'app.bsky.feed.post';

/** JSON with one byte that is not UTF-8. */
export const LATIN_1 = Buffer.from('{"text":"caf\u00e9"}', 'latin1');

/** Runs a command with `--json`, which must succeed, and returns its JSON values. */
export const json = async (args: readonly string[], options?: RunOptions): Promise<unknown[]> => {
  const outcome = await pdsdb([...args, '--json'], options);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  return jsonLines(outcome.stdout);
};

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Makes the account in a new folder: `key`, `alice`, `latin-1.json`, `endless.json`. */
export const createSampleAccount = async (): Promise<{ readonly folder: string; remove(): Promise<void> }> => {
  const folder = await mkdtemp(join(tmpdir(), 'pdsdb-command-'));
  const at = (name: string): string => join(folder, name);
  await json(['key', 'generate', '-o', at('key')]);
  await json(['init', at('alice'), '--did', DID, '--key', at('key')]);
  for (let i = 0; i < 3; i++) {
    await json(['put', at('alice'), `${POST}/3l3qo2vutsw2${'abc'[i]}`, JSON.stringify({ text: `post ${i}` })], {
      env: { PDSDB_KEY: at('key') },
    });
  }
  await json(['put', at('alice'), 'app.bsky.actor.profile/self', '-', '--key', at('key')], {
    input: '{"displayName":"Alice"}',
  });
  await writeFile(at('latin-1.json'), LATIN_1);
  await writeFile(at('endless.json'), `{"text":"${' '.repeat(16 * 1024 * 1024)}"}`);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
};
