/** Whether the packages of this folder are installed. With `PDSDB_REQUIRE=network`, a missing package is a failure. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const isInstalled = existsSync(fileURLToPath(new URL('node_modules/@atproto/pds', import.meta.url)));

if (!isInstalled && process.env['PDSDB_REQUIRE']?.split(',').includes('network') === true) {
  throw new Error('PDSDB_REQUIRE has network, and the PDS is missing. Run npm ci --prefix test/network.');
}

/** Skips tests if it is `true`. The reason, for the titles, is `why`. */
export const lacksPds: boolean = !isInstalled;
export const why: string = isInstalled ? '' : ' (needs npm ci --prefix test/network)';
