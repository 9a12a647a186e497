/** The rules of CONTRIBUTING.md, as tests. */
import { describe, expect, test } from 'vitest';
import { doorSize } from './house/door-size.ts';
import { filesBelow, lineCount, nodesBelow, parseSource, root, sourcesBelow, textOf } from './house/sources.ts';
import type { SourceFile, SyntaxNode } from './house/sources.ts';
import { casesWithoutRunner } from './house/suites.ts';
import { importCycles } from './house/import-cycles.ts';
import { forbiddenImports } from './house/who-imports-whom.ts';
import { oldTermsIn } from './house/old-terms.ts';

/** A file that passes this is two files. */
const MAX_LINES = 350;
const MAX_COLUMNS = 120;
const FORBIDDEN_NAMES = /(^|\/)(utils?|helpers?|common|types?)(\/|\.[a-z.]+$)/;
const KEBAB_CASE = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

const sources = sourcesBelow('src');
const tests = sourcesBelow('test');
const examples = [...sourcesBelow('examples'), ...sourcesBelow('bench')];
const everything = [...sources, ...tests, ...examples];
const prose = ['.', 'src', 'examples', 'test'].flatMap((folder) =>
  (folder === '.' ? ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'] : filesBelow(folder)).filter(
    (path) => path.endsWith('.md'),
  ),
);
const isDoor = (path: string): boolean => /^src\/[^/]+\.ts$/.test(path);

/** Where in a file, for a message. */
const at = (file: SourceFile, offset: number): string => `${file.path}:${lineCount(file.text.slice(0, offset + 1))}`;

test('there is a house to look after', () => {
  expect(sources.length).toBeGreaterThan(20);
  expect(tests.length).toBeGreaterThan(10);
});

describe('files', () => {
  test(`have at most ${MAX_LINES} lines`, () => {
    expect(everything.filter((file) => lineCount(file.text) > MAX_LINES).map((file) => file.path)).toEqual([]);
  });

  test(`have comments of at most ${MAX_COLUMNS} columns`, () => {
    // The formatter breaks code; comments are left to their authors. A link may be longer.
    const isWide = (line: string): boolean => line.length > MAX_COLUMNS && !/https?:\/\//.test(line);
    const written = everything.filter((file) => !file.path.startsWith('src/wasm/hash/assembly/'));
    const wide = written.flatMap((file) =>
      file.comments
        .filter(({ start, end }) => file.text.slice(start, end).split('\n').some(isWide))
        .map(({ start }) => at(file, start)),
    );
    expect(wide).toEqual([]);
  });

  test('are named after what is in them', () => {
    const paths = ['src', 'test', 'examples', 'bench'].flatMap(filesBelow);
    expect(paths.filter((path) => FORBIDDEN_NAMES.test(path))).toEqual([]);
    expect(paths.filter((path) => /\/index\.ts$/.test(path) && path !== 'src/index.ts')).toEqual([]);
    const names = paths.filter((path) => path.endsWith('.ts')).map((path) => path.split('/').at(-1)!);
    expect(names.filter((name) => !KEBAB_CASE.test(name))).toEqual([]);
  });

  test('export by name', () => {
    const withDefault = sources.filter((file) => file.body.some((node) => node.type === 'ExportDefaultDeclaration'));
    expect(withDefault.map((file) => file.path)).toEqual([]);
  });

  test('do more than forward, unless they are doors', () => {
    const forwarders = sources.filter(
      (file) =>
        !isDoor(file.path) &&
        file.body.every(
          (node) =>
            node.type === 'ImportDeclaration' ||
            node.type === 'ExportAllDeclaration' ||
            (node.type === 'ExportNamedDeclaration' && !node.declaration),
        ),
    );
    expect(forwarders.map((file) => file.path)).toEqual([]);
  });

  test('do nothing when imported', () => {
    const DECLARES = /^(Import|Export)|Declaration$/;
    const busy = sources
      .filter((file) => file.path !== 'src/cli.ts')
      .flatMap((file) => file.body.filter((node) => !DECLARES.test(node.type)).map((node) => at(file, node.start)));
    expect(busy).toEqual([]);
  });

  test('name the .ts file that they import', () => {
    const paths = new Set(filesBelow('src').concat(filesBelow('test'), filesBelow('examples'), filesBelow('bench')));
    const wrong = everything.flatMap((file) =>
      file.imports
        .filter((path) => /^(src|test|examples|bench)\//.test(path) && !paths.has(path))
        .map((path) => `${file.path} -> ${path}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('who may import whom', () => {
  test.each(['core', 'wasm', 'adapters', 'testing', 'cli'])('src/%s keeps to its own', (folder) => {
    expect(sourcesBelow(`src/${folder}`).flatMap(forbiddenImports)).toEqual([]);
  });

  test('doors wire the house and do not lead to each other', () => {
    expect(sources.filter((file) => isDoor(file.path)).flatMap(forbiddenImports)).toEqual([]);
  });

  test('the rule catches what it is for', () => {
    const caught = (path: string, text: string): number => forbiddenImports(parseSource(path, text)).length;
    expect(caught('src/core/data/a.ts', `import { b } from '../../wasm/hash/b.ts';`)).toBe(1);
    expect(caught('src/core/data/a.ts', `import { readFile } from 'node:fs';`)).toBe(1);
    expect(caught('src/core/data/a.ts', `export const f = () => import('../../node.ts');`)).toBe(1);
    expect(caught('src/core/mst/a.ts', `export { b } from '../data/cid.ts';`)).toBe(0);
    expect(caught('src/core/data/a.ts', `import { RepoError } from '../errors.ts';`)).toBe(0);
    expect(caught('src/core/data/a.ts', `import type { Tid } from '../syntax/tid.ts';`)).toBe(1);
    expect(caught('src/core/mst/a.ts', `import type { Fault } from '../repo/repo.ts';`)).toBe(1);
    expect(caught('src/core/errors.ts', `import type { CID } from './data/cid.ts';`)).toBe(1);
    expect(caught('src/core/a.ts', `export const a = 1;`)).toBe(1);
    expect(caught('src/wasm/vfs/a.ts', `import { Database } from '../database/database.ts';`)).toBe(1);
    expect(caught('src/wasm/vfs/a.ts', `import { SqliteBlockStore } from '../adapters/sqlite/block-store.ts';`)).toBe(
      1,
    );
    expect(caught('src/adapters/files/node-files.ts', `import { b } from '../blobs/node-blobs.ts';`)).toBe(1);
    expect(caught('src/adapters/files/deno-files.ts', `import * as fs from 'node:fs';`)).toBe(1);
    expect(caught('src/index.ts', `export * from './node.ts';`)).toBe(1);
    expect(caught('src/cli/record/ls.ts', `import { openRepo } from '../node.ts';`)).toBe(0);
  });

  test('there is no import cycle, types included', () => {
    expect(importCycles(sources)).toEqual([]);
    const file = (name: string, next: string): SourceFile =>
      parseSource(`src/${name}.ts`, `import type { a } from './${next}.ts';`);
    expect(importCycles([file('a', 'b'), file('b', 'c'), file('c', 'b'), file('d', 'a')])).toEqual([
      'src/b.ts -> src/c.ts -> src/b.ts',
    ]);
  });

  test('every package that is imported is a dependency', () => {
    const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> };
    const packages = sources.flatMap((file) => file.imports).filter((path) => !/^(src\/|node:)/.test(path));
    const names = packages.map((path) =>
      path
        .split('/')
        .slice(0, path.startsWith('@') ? 2 : 1)
        .join('/'),
    );
    expect([...new Set(names)].filter((name) => !(name in dependencies))).toEqual([]);
    expect(Object.keys(dependencies).filter((name) => !names.includes(name))).toEqual([]);
  });
});

describe('code', () => {
  test('knows no other platform than its own', () => {
    const word = (files: readonly SourceFile[], pattern: RegExp): string[] =>
      files.flatMap((file) => {
        // A comment may name a platform; code may not.
        const code = file.comments.reduceRight(
          (text, { start, end }) => text.slice(0, start) + ' '.repeat(end - start) + text.slice(end),
          file.text,
        );
        const found = pattern.exec(code);
        return found === null ? [] : [`${at(file, found.index)} ${found[0]}`];
      });
    const pure = sources.filter((file) => /^src\/(core|wasm|testing)\//.test(file.path));
    expect(word(pure, /'node:|\bDeno\b|\bBun\b|\bprocess\.|\bBuffer\b/)).toEqual([]);
    const deno = sources.filter((file) => /(^|\/|-)deno(-|\.)/.test(file.path));
    expect(word(deno, /'node:|\bprocess\.|\bBuffer\b/)).toEqual([]);
    const node = sources.filter((file) => /\/node-/.test(file.path));
    expect(word(node, /\bDeno\./)).toEqual([]);
  });

  test('throws RepoError, or TypeError for a wrong argument', () => {
    const thrown = sources
      .filter((file) => /^src\/(core|wasm|adapters)\//.test(file.path))
      .flatMap((file) =>
        [...nodesBelow(file.body)]
          .filter((node) => node.type === 'ThrowStatement')
          .map((node) => [node, /^throw new (\w+)/.exec(file.text.slice(node.start, node.end))?.[1]] as const)
          .filter(([, name]) => name !== undefined && !['RepoError', 'TypeError'].includes(name))
          .map(([node, name]) => `${at(file, node.start)} ${name}`),
      );
    expect(thrown).toEqual([]);
  });

  test('recognizes a class of the platform by its form', () => {
    // `instanceof` fails for a value of another realm. It is for classes that the file imports or declares.
    const foreign = (file: SourceFile): string[] => {
      const nodes = [...nodesBelow(file.body)];
      const own = new Set(
        nodes
          .filter((node) => /^Import\w*Specifier$/.test(node.type) || node.type === 'ClassDeclaration')
          .map((node) => ((node.local ?? node.id) as { readonly name: string }).name),
      );
      return nodes
        .filter((node) => node.type === 'BinaryExpression' && node.operator === 'instanceof')
        .filter((node) => !own.has(file.text.slice((node.right as SyntaxNode).start, (node.right as SyntaxNode).end)))
        .map((node) => `${at(file, node.start)} ${file.text.slice(node.start, node.end)}`);
    };
    expect(sources.flatMap(foreign)).toEqual([]);
    const caught = (text: string): number => foreign(parseSource('src/core/a.ts', text)).length;
    expect(caught('export const f = (a: unknown) => a instanceof Error;')).toBe(1);
    expect(caught('export const f = (a: unknown) => a instanceof WebAssembly.Module;')).toBe(1);
    expect(caught(`import { B } from './b.ts';\nexport const f = (a: unknown) => a instanceof B;`)).toBe(0);
    expect(caught('class B {}\nexport const f = (a: unknown) => a instanceof B;')).toBe(0);
  });

  test('loses no error', () => {
    const silent = everything.flatMap((file) =>
      [...nodesBelow(file.body)]
        .filter((node) => node.type === 'CatchClause')
        .map((node) => node.body as { start: number; end: number; body: unknown[] })
        // A comment that says why nothing is lost is what an empty one has to hold.
        .filter(
          (block) =>
            block.body.length === 0 && !file.comments.some(({ start, end }) => start > block.start && end < block.end),
        )
        .map((block) => at(file, block.start)),
    );
    expect(silent).toEqual([]);
  });

  test('hides with #private', () => {
    const keywords = sources.flatMap((file) =>
      [...nodesBelow(file.body)]
        .filter((node) => typeof node.accessibility === 'string')
        .map((node) => at(file, node.start)),
    );
    expect(keywords).toEqual([]);
  });

  test('leaves nothing for later', () => {
    const later = new RegExp(
      `\\b(${['TO', 'FIX'].map((word) => word + (word === 'TO' ? 'DO' : 'ME')).join('|')}|X{3})\\b`,
    );
    const marked = [
      ...everything.map((file) => [file.path, file.text] as const),
      ...prose.map((path) => [path, textOf(path)] as const),
    ];
    expect(marked.filter(([, text]) => later.test(text)).map(([path]) => path)).toEqual([]);
  });

  test('speaks of the project alone', () => {
    // Paths of one machine and hosts of one registry have no business in a repository.
    const elsewhere = [root.replace(/\/$/, ''), ['registry', 'npmjs', 'org'].join('.'), '"resolved":'];
    const texts = [
      ...filesBelow('src'),
      ...filesBelow('test'),
      ...filesBelow('examples'),
      'package.json',
      'package-lock.json',
      ...prose,
    ];
    const found = texts
      .filter((path) => path !== 'test/house.test.ts')
      .filter((path) => elsewhere.some((word) => textOf(path).includes(word)));
    expect(found).toEqual([]);
  });

  test('uses the standard terms', () => {
    const elsewhere = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'README.md', 'SECURITY.md', 'build-wasm.mjs', 'build.mjs'];
    const paths = [...['src', 'examples', 'bench', 'docs', 'test'].flatMap(filesBelow), ...elsewhere];
    // CHANGELOG.md names what was renamed, and this file and the list have the terms themselves.
    const isList = /^test\/(house\.test|house\/old-terms)\.ts$|^test\/(vectors|recordings)\//;
    const written = paths.filter((path) => /\.(ts|mjs|js|md)$/.test(path) && !isList.test(path));
    expect(written.flatMap((path) => oldTermsIn(path, textOf(path)))).toEqual([]);
    expect(oldTermsIn('a.ts', '/** It answers the CID of a record that is gone. */')).toHaveLength(2);
    expect(oldTermsIn('a.ts', '/** Returns the CID, or `undefined` if the record is missing. */')).toEqual([]);
  });

  test('no test is left out or left alone', () => {
    // A suite that lacks what it needs is skipped by name, with skipIf and the reason.
    const calls = /\b(it|test|describe)\.(only|skip|todo)\(/;
    expect(
      tests.filter((file) => file.path !== 'test/house.test.ts' && calls.test(file.text)).map((file) => file.path),
    ).toEqual([]);
  });
});

describe('ports', () => {
  test('every adapter runs every case of its port', async () => {
    expect(await casesWithoutRunner(sources, tests)).toEqual([]);
  });
});

describe('weight', () => {
  // Kilobytes, minified and compressed. A change that makes an entry point heavier raises its limit here.
  const most: Readonly<Record<string, number>> = {
    index: 95,
    node: 145,
    deno: 144,
    browser: 47,
    worker: 143,
    testing: 92,
  };
  const doors = sources.map((file) => file.path).filter((path) => isDoor(path) && path !== 'src/cli.ts');

  test.each(doors)('%s brings along no more than it did', async (door) => {
    const name = door.slice('src/'.length, -'.ts'.length);
    const { gzip, modules } = await doorSize(door);
    expect(gzip).toBeLessThan(most[name]! * 1000);
    const hasSqlite = modules.some((path) => path.includes('node_modules/sql.js/'));
    expect(hasSqlite).toBe(['node', 'deno', 'worker'].includes(name));
  });
});

describe('package', () => {
  const manifest = JSON.parse(textOf('package.json')) as {
    exports: Record<string, string | { types: string; default: string }>;
    bin: Record<string, string>;
    version: string;
  };

  test('every door is exported, and every export is a door', () => {
    const exported = Object.values(manifest.exports)
      .flatMap((target) => (typeof target === 'string' ? [] : [target.default]))
      .concat(Object.values(manifest.bin))
      .map((target) => target.replace('./dist/', 'src/').replace(/\.js$/, '.ts'));
    expect(exported.sort()).toEqual(
      sources
        .map((file) => file.path)
        .filter(isDoor)
        .sort(),
    );
  });

  test('jsr.json exports the source of every entry point that has types, in the same version', () => {
    const jsr = JSON.parse(textOf('jsr.json')) as { version: string; exports: Record<string, string> };
    const typed = Object.entries(manifest.exports).flatMap(([name, target]) =>
      typeof target === 'string' ? [] : [[name, target.default.replace('./dist/', './src/').replace(/js$/, 'ts')]],
    );
    expect(jsr.exports).toEqual(Object.fromEntries(typed));
    expect(jsr.version).toBe(manifest.version);
  });

  test('types lie beside what they describe', () => {
    for (const target of Object.values(manifest.exports)) {
      if (typeof target !== 'string') {
        expect(target.types).toBe(target.default.replace(/\.js$/, '.d.ts'));
      }
    }
  });
});
