/** Everything that is fuzzed. */
import { carTargets } from './car-targets.ts';
import { databaseTargets } from './database-targets.ts';
import { folderTarget } from './folder-target.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { valueTargets } from './value-targets.ts';

export const fuzzTargets: readonly FuzzTarget[] = [...valueTargets, ...carTargets, ...databaseTargets, folderTarget];
