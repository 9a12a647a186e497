/** All fuzz targets. */
import { backupTarget } from './backup-target.ts';
import { carTargets } from './car-targets.ts';
import { databaseTargets } from './database-targets.ts';
import { folderTarget } from './folder-target.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { repairTarget } from './repair-target.ts';
import { restoreTarget } from './restore-target.ts';
import { salvageTarget } from './salvage-target.ts';
import { schemaTarget } from './schema-target.ts';
import { valueTargets } from './value-targets.ts';

export const fuzzTargets: readonly FuzzTarget[] = [
  ...valueTargets,
  ...carTargets,
  ...databaseTargets,
  schemaTarget,
  folderTarget,
  repairTarget,
  salvageTarget,
  backupTarget,
  restoreTarget,
];
