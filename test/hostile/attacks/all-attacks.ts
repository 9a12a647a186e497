/** Every attack whose cost is measured, by class. */
import type { Attack, AttackClass } from './attack.ts';
import { makePosts, use } from './attack.ts';
import { leftoverAttacks, manifestAttacks } from './backup-attacks.ts';
import { carAttacks } from './car-attacks.ts';
import { commandAttacks } from './command-attacks.ts';
import { historyAttacks } from './history-attacks.ts';
import { importAttacks } from './import-attacks.ts';
import { lockAttacks } from './lock-attacks.ts';
import { schemaAttacks } from './schema-attacks.ts';
import { sizeAttacks } from './size-attacks.ts';
import { tableAttacks } from './table-attacks.ts';

/** The baseline for the costs of the others. */
export const control: Attack = { name: 'no attack: a sound repository', make: makePosts, run: use, end: 'sound' };

export const attackClasses: readonly AttackClass[] = [
  { name: 'No attack', attacks: [control] },
  schemaAttacks,
  tableAttacks,
  carAttacks,
  importAttacks,
  manifestAttacks,
  historyAttacks,
  commandAttacks,
  lockAttacks,
  leftoverAttacks,
  sizeAttacks,
];

/** Returns the attack with the number that a child process gets. */
export const allAttacks: readonly Attack[] = attackClasses.flatMap(({ attacks }) => attacks);
