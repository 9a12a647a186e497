/** The cases of a whole repository, through a page whose repository another tab has open. */
import { describe } from 'vitest';
import { repoCases } from '../../../src/testing/repo/cases.ts';
import type { RepoHarness } from '../../../src/testing/repo/harness.ts';
import { runCases } from '../../run-cases.ts';
import type { TabOpenOptions } from './tabs.ts';
import { PlayedBrowser } from './tabs.ts';

/** Another tab leads for as long as the repository is open. */
const followingHarness = (): RepoHarness => {
  const browser = new PlayedBrowser();
  const follow = async (did: string | undefined, options: TabOpenOptions | undefined) => {
    const leading = await browser.tab().open('repo', { did });
    const following = await browser.tab().open('repo', options);
    const close = following.close.bind(following);
    following.close = async () => {
      await close();
      await leading.close();
    };
    return following;
  };
  return {
    create: ({ did, ...options }) => follow(did, options),
    open: (options) => follow(undefined, options),
    openReadOnly: () => follow(undefined, { readOnly: true }),
    other: followingHarness,
  };
};

describe('a repository that another tab has open', () => {
  runCases(repoCases, followingHarness);
});
