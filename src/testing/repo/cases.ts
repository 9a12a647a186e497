/**
 * The contract of a repository over any stores, as test cases:
 *
 *     for (const { name, run } of repoCases) test(name, async () => run(await makeHarness()));
 */
import type { Case } from '../case.ts';
import { repoBlobCases } from './blob-cases.ts';
import { repoBranchCases } from './branch-cases.ts';
import { repoCarCases } from './car-cases.ts';
import { repoConcurrentCases } from './concurrent-cases.ts';
import { repoDifferenceCases } from './difference-cases.ts';
import { repoEventCases } from './event-cases.ts';
import { repoExportCases } from './export-cases.ts';
import { repoGarbageCases } from './garbage-cases.ts';
import type { RepoHarness } from './harness.ts';
import { repoGetManyCases } from './get-many-cases.ts';
import { repoHistoryCases } from './history-cases.ts';
import { repoJsonCases } from './json-cases.ts';
import { repoKeySourceCases } from './key-source-cases.ts';
import { repoLineCases } from './line-cases.ts';
import { repoMakingCases } from './making-cases.ts';
import { repoMetaCases } from './meta-cases.ts';
import { repoOptionCases } from './option-cases.ts';
import { repoOwnerCases } from './owner-cases.ts';
import { repoProofCases } from './proof-cases.ts';
import { repoReadCases } from './read-cases.ts';
import { repoReadOnlyCases } from './read-only-cases.ts';
import { repoRepairCases } from './repair-cases.ts';
import { repoStoredBytesCases } from './stored-bytes-cases.ts';
import { repoTreeCases } from './tree-cases.ts';
import { repoValidateCases } from './validate-cases.ts';
import { repoWatchCases } from './watch-cases.ts';
import { repoWriteCases } from './write-cases.ts';

export const repoCases: readonly Case<RepoHarness>[] = [
  ...repoWriteCases,
  ...repoConcurrentCases,
  ...repoReadCases,
  ...repoGetManyCases,
  ...repoReadOnlyCases,
  ...repoCarCases,
  ...repoDifferenceCases,
  ...repoExportCases,
  ...repoBlobCases,
  ...repoMetaCases,
  ...repoRepairCases,
  ...repoGarbageCases,
  ...repoTreeCases,
  ...repoLineCases,
  ...repoBranchCases,
  ...repoHistoryCases,
  ...repoStoredBytesCases,
  ...repoProofCases,
  ...repoEventCases,
  ...repoKeySourceCases,
  ...repoJsonCases,
  ...repoMakingCases,
  ...repoOptionCases,
  ...repoWatchCases,
  ...repoValidateCases,
  ...repoOwnerCases,
];
