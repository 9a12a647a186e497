/** Finds the other runtimes. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { root } from '../house/sources.ts';

export type OtherRuntime = 'bun' | 'deno';

const PLACES = [
  join(root, 'node_modules/.bin'),
  join(root, 'test/runtime/node_modules/.bin'),
  ...(process.env['PATH'] ?? '').split(delimiter),
];
const REQUIRED = (process.env['PDSDB_REQUIRE'] ?? '').split(/[\s,]+/);

/**
 * Returns the path of a runtime's program. If it is `undefined`, its suites are skipped.
 * @throws {Error} if it is missing and `PDSDB_REQUIRE` contains it.
 */
export const findRuntime = (name: OtherRuntime): string | undefined => {
  const found = PLACES.map((place) => join(place, name)).find((path) => existsSync(path));
  if (found === undefined && REQUIRED.includes(name)) {
    throw new Error(`${name} is required and not found`);
  }
  return found;
};
