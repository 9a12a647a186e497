/** Lists the content of a folder, to compare it before and after. */
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Returns every name below a folder, with the bytes of files. */
export const contentOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => [name, lstatSync(join(folder, name))] as const)
    .map(
      ([name, stats]) => `${name} ${stats.isFile() ? readFileSync(join(folder, name)).toString('base64') : stats.mode}`,
    )
    .sort();
