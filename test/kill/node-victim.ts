import { writeSync } from 'node:fs';
import { createRepo, openRepo } from '../../src/node.ts';
import { beVictim } from './victim.ts';

await beVictim({ createRepo, openRepo }, process.argv[2]!, Number(process.argv[3]), (line) =>
  writeSync(1, `${line}\n`),
);
