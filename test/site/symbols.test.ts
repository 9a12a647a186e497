/** Every symbol that an entry point exports has a page, which the page of the entry point links to. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseSource, textOf } from '../house/sources.ts';
import type { SourceFile, SyntaxNode } from '../house/sources.ts';
import { SITE, htmlOf, isSiteMissing, resolveTarget, targetsOf } from './built-site.ts';

const ENTRY_POINTS = ['index', 'node', 'deno', 'browser', 'worker', 's3', 'sync', 'postgres', 'testing'];

interface Named {
  readonly name: string;
}

interface Export extends SyntaxNode {
  readonly declaration: { readonly id?: Named; readonly declarations?: readonly { readonly id: Named }[] } | null;
  readonly specifiers: readonly { readonly exported: Named }[];
}

/** Returns the names that a file exports. */
const exportsOf = ({ body }: SourceFile): string[] =>
  body
    .filter((node): node is Export => node.type === 'ExportNamedDeclaration')
    .flatMap(({ declaration, specifiers }) => [
      ...specifiers.map(({ exported }) => exported.name),
      ...(declaration?.id ? [declaration.id.name] : []),
      ...(declaration?.declarations ?? []).map(({ id }) => id.name),
    ]);

test('the names of an entry point are found', () => {
  const text = `export { a, b as c } from './d.ts';\nexport type { E } from './e.ts';\nexport const f = 1;\nexport interface G {}\n`;
  expect(exportsOf(parseSource('src/a.ts', text))).toEqual(['a', 'c', 'E', 'f', 'G']);
});

describe.skipIf(isSiteMissing)('the API reference (needs npm run docs:build)', () => {
  test('has every entry point that package.json exports', () => {
    const { exports } = JSON.parse(textOf('package.json')) as { exports: Record<string, string | object> };
    const typed = Object.keys(exports).filter((name) => typeof exports[name] === 'object');
    expect(ENTRY_POINTS.map((name) => (name === 'index' ? '.' : `./${name}`)).sort()).toEqual(typed.sort());
  });

  test.each(ENTRY_POINTS)('has a page for every symbol of %s', (name) => {
    const page = `api/${name}/index.html`;
    const source = parseSource(`src/${name}.ts`, textOf(`src/${name}.ts`));
    expect(source.body.filter(({ type }) => type === 'ExportAllDeclaration')).toEqual([]);
    const symbols = exportsOf(source);
    expect(symbols.length).toBeGreaterThan(0);
    const linked = targetsOf(htmlOf(page))
      .map((target) => resolveTarget(page, target)?.file ?? '')
      .filter((file) => file.startsWith('api/') && existsSync(join(SITE, file)))
      .map((file) => basename(file, '.html'));
    expect(symbols.filter((symbol) => !linked.includes(symbol))).toEqual([]);
  });
});
