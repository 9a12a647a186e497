/** All classes of untrusted CARs, in the order of their table. */
import { carClasses } from './car-cases.ts';
import { cidClasses } from './cid-cases.ts';
import { commitClasses } from './commit-cases.ts';
import type { HostileClass } from './hostile-case.ts';
import { recordClasses } from './record-cases.ts';
import { treeClasses } from './tree-cases.ts';
import { unusualClasses } from './unusual-cases.ts';

export const importClasses: readonly HostileClass[] = [
  ...carClasses,
  ...cidClasses,
  ...recordClasses,
  ...commitClasses,
  ...treeClasses,
  ...unusualClasses,
];
