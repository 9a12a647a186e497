/** docs/security.md agrees with the code and the suite. `PDSDB_WRITE=1` writes its tables again. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, sourcesBelow } from '../house/sources.ts';
import { attackClasses } from './attacks/all-attacks.ts';
import { folderClasses } from './folder-cases.ts';
import { importClasses } from './import-classes.ts';
import { limits } from './limits.ts';
import { folderTable, importTable, limitsTable, attackTable, withTable, withoutCosts } from './tables.ts';

const path = join(root, 'docs', 'security.md');

test('its tables are those of the code and of the suite', () => {
  const page = readFileSync(path, 'utf8');
  const tables = [
    ['limits', limitsTable(limits)],
    ['CARs', importTable(importClasses)],
    ['folders', folderTable(folderClasses)],
  ] as const;
  const right = tables.reduce((text, [name, content]) => withTable(text, name, content), page);
  if (process.env['PDSDB_WRITE'] === '1') {
    writeFileSync(path, right);
  }
  expect(readFileSync(path, 'utf8')).toBe(right);
});

test('its table of attacks has those of the suite, each with its costs', () => {
  const page = readFileSync(path, 'utf8');
  const names = withoutCosts(withTable(page, 'attacks', attackTable(attackClasses, new Map())));
  expect(withoutCosts(page), 'PDSDB_WRITE=1 npx vitest run test/hostile/attacks.test.ts').toBe(names);
  expect(page).not.toMatch(/ - \|$/m);
});

test('every limit that the core and the adapter for S3 export is listed', () => {
  const exported = ['src/core', 'src/adapters/s3']
    .flatMap(sourcesBelow)
    .flatMap(({ text }) => [...text.matchAll(/^export const (MAX_[A-Z_]+)/gm)].map(([, name]) => name!));
  expect(limits.map(({ name }) => name)).toEqual(exported.sort());
});

test('every case has a name of its own in its class', () => {
  for (const { name, cases } of [...importClasses, ...folderClasses]) {
    expect(new Set(cases.map((one) => one.name)).size, name).toBe(cases.length);
  }
  for (const { name, attacks } of attackClasses) {
    expect(new Set(attacks.map((one) => one.name)).size, name).toBe(attacks.length);
  }
});
