/** All cases of a repository in folders, over the entry point for Node. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { createRepo, importRepo, openOrCreateRepo, openRepo } from '../../src/node.ts';
import { repoCases } from '../../src/testing/repo/cases.ts';
import type { RepoHarness } from '../../src/testing/repo/harness.ts';
import { runCases } from '../run-cases.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'pdsdb-repo-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const nodeHarness = (): RepoHarness => {
  const directory = join(mkdtempSync(join(root, 'r-')), 'repo');
  return {
    create: (options) => createRepo(directory, options),
    open: (options) => openRepo(directory, options),
    openReadOnly: () => openRepo(directory, { readOnly: true }),
    openOrCreate: (options) => openOrCreateRepo(directory, options),
    importRepo: (car, options) => importRepo(directory, car, options),
    other: nodeHarness,
  };
};

describe('a repository in a folder, in Node', () => {
  runCases(repoCases, nodeHarness);
});
