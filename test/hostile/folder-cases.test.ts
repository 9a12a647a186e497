/**
 * Opens every damaged folder through the entry point for Node. It is rejected without a change, or opens and returns no
 * wrong data.
 */
import { cpSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { equalBytes } from '../../src/core/data/bytes.ts';
import { isRepoError } from '../../src/core/errors.ts';
import { openRepo } from '../../src/node.ts';
import { KEY, POST } from '../../src/testing/repo/harness.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import type { FolderCase } from './folder-cases.ts';
import { BLOB, BLOB_CID, RKEY, folderClasses, makeSound } from './folder-cases.ts';
import { contentOf } from './folder-content.ts';

const root = scratchFolder('hostile');
const sound = join(root, 'sound');
beforeAll(() => makeSound(sound));

const codeOf = async (run: () => Promise<unknown>): Promise<string> => {
  try {
    return (await run()) === undefined ? 'nothing' : 'right';
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return error.code;
  }
};

const check = async (folder: string, { blob, open, record, sound: isSound }: FolderCase): Promise<void> => {
  const before = contentOf(folder);
  if (open !== undefined) {
    await expect(openRepo(folder)).rejects.toMatchObject({ name: 'RepoError', code: open });
    expect(contentOf(folder), 'the folder afterwards').toEqual(before);
    return;
  }
  const repo = await openRepo(folder, { signer: KEY });
  try {
    expect(await codeOf(() => repo.get(POST, RKEY)), 'the record').toBe(record ?? 'right');
    expect(await codeOf(() => repo.getBlob(BLOB_CID)), 'the blob').toBe(blob ?? 'right');
    if (blob === undefined) {
      expect(equalBytes(new Uint8Array(await (await repo.getBlob(BLOB_CID))!.arrayBuffer()), BLOB)).toBe(true);
    }
    expect((await repo.verify({ key: KEY.did() })).ok, 'whether it is sound').toBe(isSound === true);
  } finally {
    await repo.close();
  }
};

describe.each(folderClasses.map(({ name, cases }) => [name, cases] as const))('%s', (_class, cases) => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const folder = join(mkdtempSync(join(root, 'case-')), 'repo');
    cpSync(sound, folder, { recursive: true });
    await one.damage(folder);
    await check(folder, one);
  });
});
