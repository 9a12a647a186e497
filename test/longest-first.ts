/** Orders test files by their duration, longest first, so that two workers end at about the same time. */
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Files that take more than half a minute on two cores, by their path from test/, longest first. */
export const LONGEST: readonly string[] = [
  'hostile/attacks.test.ts',
  'runtime/repos.test.ts',
  'crash/origin-cuts.test.ts',
  'cli/pipes.slow.test.ts',
  'readme/guides.slow.test.ts',
  'cli/process.slow.test.ts',
  'crash/power-cuts.test.ts',
  'readme/samples.slow.test.ts',
  'core/repo/proof/apply-event.slow.test.ts',
  'crash/folders.test.ts',
  'browser/entry-points.test.ts',
  'browser/viewer-large.test.ts',
  'browser/grid.test.ts',
  'browser/viewer.test.ts',
  'site/pages.test.ts',
  'browser/kill.test.ts',
  'browser/tabs.test.ts',
  'environments/pages.test.ts',
  'browser/local-first.test.ts',
  'browser/viewer-pages.test.ts',
  'browser/import.test.ts',
  'browser/trouble.test.ts',
  'browser/layout.test.ts',
  'browser/cleared.test.ts',
  'browser/viewer-records.test.ts',
  'browser/bounds.test.ts',
  'browser/one-worker.test.ts',
  'browser/readme.test.ts',
  'environments/node-bundles.test.ts',
  'postgres/runtimes.test.ts',
  'postgres/processes.test.ts',
  'postgres/repo.test.ts',
  'network/notes-session.test.ts',
  'network/pull-faults.test.ts',
  'network/viewer.test.ts',
  'network/migrate.test.ts',
  'network/notes.test.ts',
  'network/notes-oauth.test.ts',
  'network/outbox-push.test.ts',
  'network/command.test.ts',
];

const rank = ({ moduleId }: TestSpecification): number => {
  const index = LONGEST.findIndex((path) => moduleId.endsWith(`/test/${path}`));
  return index < 0 ? LONGEST.length : index;
};

/** Vitest knows the times of the previous run, which a fresh clone does not have. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}
