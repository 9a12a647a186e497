/**
 * What every repository promises, over whichever stores, as cases to run:
 *
 *     for (const { name, run } of repoCases) test(name, async () => run(await makeHarness()));
 */
import type { Case } from './case.ts';
import { repoBlobCases } from './repo-blob-cases.ts';
import { repoCarCases } from './repo-car-cases.ts';
import type { RepoHarness } from './repo-harness.ts';
import { repoReadCases } from './repo-read-cases.ts';
import { repoRepairCases } from './repo-repair-cases.ts';
import { repoWriteCases } from './repo-write-cases.ts';

export const repoCases: readonly Case<RepoHarness>[] = [
  ...repoWriteCases,
  ...repoReadCases,
  ...repoCarCases,
  ...repoBlobCases,
  ...repoRepairCases,
];
