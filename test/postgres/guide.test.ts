/** The program of docs/guides/keep-many-accounts-in-postgres.md. */
import { cp, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { buildPackage } from '../built-package.ts';
import { textOf } from '../house/sources.ts';
import { createReader } from '../readme/reader.ts';
import { samplesOf } from '../readme/samples.ts';
import { driver } from './connect.ts';
import { lacksPostgres, why } from './postgres-test.ts';

test.skipIf(lacksPostgres)(`the program of the guide "Keep many accounts in PostgreSQL" runs twice${why}`, async () => {
  const built = await buildPackage('postgres-guide');
  const reader = await createReader(built);
  try {
    // As npm installs them: the package finds `pg` beside itself.
    const modules = join(reader.folder, 'node_modules');
    await rm(join(modules, 'pdsdb'));
    await cp(built, join(modules, 'pdsdb'), { recursive: true, verbatimSymlinks: true });
    await symlink(driver, join(modules, 'pg'), 'dir');
    const samples = samplesOf(textOf('docs/guides/keep-many-accounts-in-postgres.md'));
    const sample = samples.find((one) => one.kind === 'file' && one.command !== undefined);
    if (sample?.kind !== 'file') {
      throw new Error('the guide has no program');
    }
    const command = sample.command!.replace(/postgres:.*/, inject('postgresUrl'));
    expect(command).not.toBe(sample.command);
    for (let round = 0; round < 2; round++) {
      expect(await reader.run({ ...sample, command })).toBe(
        'did:web:alice.example.com 7 records 7 commits true valid\ndid:web:bob.example.com 1 records 1 commits true valid\n',
      );
    }
  } finally {
    await reader.remove();
  }
});
