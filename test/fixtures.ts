/** Vectors that others wrote, where they are at hand. Suites that need them are skipped by name where they are not. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(
  fileURLToPath(new URL('..', import.meta.url)),
  process.env['PDSDB_FIXTURES'] ?? '../shared/fixtures',
);

export const hasFixtures: boolean = existsSync(root);

/** The path of one of them. */
export const fixtures = (path: string): string => resolve(root, path);
