/** Tests that need the tools of this folder: `npm ci --prefix test/environments`. */
import { test } from 'vitest';
import { hasTools } from './places.ts';

const isRequired = (process.env['PDSDB_REQUIRE'] ?? '').split(',').includes('environments');

/** Without the tools, the test is skipped with a reason, unless `PDSDB_REQUIRE` names `environments`. */
export const environmentTest: ReturnType<typeof test.skipIf> = test.skipIf(!hasTools && !isRequired);
