/** The cases of a whole repository, through a page and its worker. */
import { describe } from 'vitest';
import { repoCases } from '../../../src/testing/repo/cases.ts';
import type { RepoHarness } from '../../../src/testing/repo/harness.ts';
import { runCases } from '../../run-cases.ts';
import { PlayedBrowser } from './tabs.ts';

const ledHarness = (): RepoHarness => {
  const browser = new PlayedBrowser();
  return {
    create: (options) => browser.tab().open('repo', options),
    open: (options) => browser.tab().open('repo', options),
    openReadOnly: () => browser.tab().open('repo', { readOnly: true }),
    other: ledHarness,
  };
};

describe('a repository in a worker', () => {
  runCases(repoCases, ledHarness);
});
