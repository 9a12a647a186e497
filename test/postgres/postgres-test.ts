/**
 * Whether PostgreSQL and the packages of this folder are installed. With `PDSDB_REQUIRE=postgres`, a missing one is a
 * failure.
 */
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Debian keeps the programs of the server out of the path. */
const DEBIAN = '/usr/lib/postgresql';
const places = [
  ...(process.env['PATH'] ?? '').split(delimiter),
  ...(existsSync(DEBIAN) ? readdirSync(DEBIAN).sort().reverse() : []).map((version) => join(DEBIAN, version, 'bin')),
];

/** The folder of the programs `postgres` and `initdb`, if there is one. */
export const programs: string | undefined = places.find((place) => existsSync(join(place, 'initdb')));

/** The program that copies a server, for a standby. Its folder may be another one. */
export const baseBackup: string | undefined = places
  .map((place) => join(place, 'pg_basebackup'))
  .find((path) => existsSync(path));

const packages = fileURLToPath(new URL('node_modules', import.meta.url));

const missing = [
  ...(programs === undefined ? ['the Debian package postgresql'] : []),
  ...(existsSync(join(packages, 'pg')) ? [] : ['npm ci --prefix test/postgres']),
];

if (missing.length > 0 && process.env['PDSDB_REQUIRE']?.split(',').includes('postgres') === true) {
  throw new Error(`PDSDB_REQUIRE has postgres, and something is missing: ${missing.join(', ')}`);
}

/** Skips tests if it is `true`. The reason, for the titles, is `why`. */
export const lacksPostgres: boolean = missing.length > 0;
export const why: string = lacksPostgres ? ` (needs ${missing.join(', ')})` : '';
