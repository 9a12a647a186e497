/** The rules of CONTRIBUTING.md, as tests. */
import { describe, expect, test } from 'vitest';
import { entrySize } from './house/entry-size.ts';
import { filesBelow, lineCount, nodesBelow, parseSource, root, sourcesBelow, textOf } from './house/sources.ts';
import type { SourceFile, SyntaxNode } from './house/sources.ts';
import { casesWithoutRunner } from './house/suites.ts';
import { importCycles } from './house/import-cycles.ts';
import { forbiddenImports } from './house/import-rules.ts';
import { oldTermsIn } from './house/old-terms.ts';

/** A longer file has more than one concept. */
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
const isEntryPoint = (path: string): boolean => /^src\/[^/]+\.ts$/.test(path);

/** Where in a file, for a message. */
const at = (file: SourceFile, offset: number): string => `${file.path}:${lineCount(file.text.slice(0, offset + 1))}`;

test('finds the sources and the tests', () => {
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

  test('have names in kebab case that say what they contain', () => {
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

  test('have code of their own, unless they are entry points', () => {
    const forwarders = sources.filter(
      (file) =>
        !isEntryPoint(file.path) &&
        file.body.every(
          (node) =>
            node.type === 'ImportDeclaration' ||
            node.type === 'ExportAllDeclaration' ||
            (node.type === 'ExportNamedDeclaration' && !node.declaration),
        ),
    );
    expect(forwarders.map((file) => file.path)).toEqual([]);
  });

  test('run no code when they are imported', () => {
    const DECLARES = /^(Import|Export)|Declaration$/;
    const busy = sources
      .filter((file) => file.path !== 'src/cli.ts')
      .flatMap((file) => file.body.filter((node) => !DECLARES.test(node.type)).map((node) => at(file, node.start)));
    expect(busy).toEqual([]);
  });

  test('import by the name of the .ts file', () => {
    const paths = new Set(filesBelow('src').concat(filesBelow('test'), filesBelow('examples'), filesBelow('bench')));
    const wrong = everything.flatMap((file) =>
      file.imports
        .filter((path) => /^(src|test|examples|bench)\//.test(path) && !paths.has(path))
        .map((path) => `${file.path} -> ${path}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe('imports', () => {
  test.each(['core', 'wasm', 'adapters', 'sync', 'testing', 'cli'])(
    'src/%s imports only the layers that it may import',
    (folder) => {
      expect(sourcesBelow(`src/${folder}`).flatMap(forbiddenImports)).toEqual([]);
    },
  );

  test('no entry point imports another', () => {
    expect(sources.filter((file) => isEntryPoint(file.path)).flatMap(forbiddenImports)).toEqual([]);
  });

  test('the rule finds each forbidden import', () => {
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

  test('every package that is imported is a dependency, and the build has those that only the command imports', () => {
    const { dependencies, devDependencies } = JSON.parse(textOf('package.json')) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
    };
    const packagesOf = (files: readonly SourceFile[]): string[] => {
      const paths = files.flatMap((file) => file.imports).filter((path) => !/^(src\/|node:)/.test(path));
      return [...new Set(paths.map((path) => /^(?:@[^/]+\/)?[^/]+/.exec(path)![0]))];
    };
    const library = packagesOf(sources.filter(({ path }) => !path.startsWith('src/cli')));
    expect(library.sort()).toEqual(Object.keys(dependencies).sort());
    const command = packagesOf(sources.filter(({ path }) => path.startsWith('src/cli')));
    expect(command.filter((name) => !(name in dependencies || name in devDependencies))).toEqual([]);
    expect(command).toContain('commander');
  });
});

describe('code', () => {
  test('names no other platform than its own', () => {
    const word = (files: readonly SourceFile[], pattern: RegExp): string[] =>
      files.flatMap((file) => {
        // A comment may name a platform.
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

  test('recognizes a class of the platform without instanceof', () => {
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

  test('has no empty catch without a comment', () => {
    const silent = everything.flatMap((file) =>
      [...nodesBelow(file.body)]
        .filter((node) => node.type === 'CatchClause')
        .map((node) => node.body as { start: number; end: number; body: unknown[] })
        // An empty catch needs a comment that says why no error is lost.
        .filter(
          (block) =>
            block.body.length === 0 && !file.comments.some(({ start, end }) => start > block.start && end < block.end),
        )
        .map((block) => at(file, block.start)),
    );
    expect(silent).toEqual([]);
  });

  test('uses #private, and no keyword private', () => {
    const keywords = sources.flatMap((file) =>
      [...nodesBelow(file.body)]
        .filter((node) => typeof node.accessibility === 'string')
        .map((node) => at(file, node.start)),
    );
    expect(keywords).toEqual([]);
  });

  test('has no marks for later work', () => {
    const later = new RegExp(
      `\\b(${['TO', 'FIX'].map((word) => word + (word === 'TO' ? 'DO' : 'ME')).join('|')}|X{3})\\b`,
    );
    const marked = [
      ...everything.map((file) => [file.path, file.text] as const),
      ...prose.map((path) => [path, textOf(path)] as const),
    ];
    expect(marked.filter(([, text]) => later.test(text)).map(([path]) => path)).toEqual([]);
  });

  test('has no machine paths and no registry hosts', () => {
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

  test('no test is skipped or run alone', () => {
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

describe('size', () => {
  // Kilobytes, minified and compressed. A change that makes an entry point heavier raises its limit here.
  const most: Readonly<Record<string, number>> = {
    index: 113,
    node: 170,
    deno: 168,
    browser: 47,
    worker: 160,
    testing: 104,
    s3: 32,
    sync: 90,
    postgres: 121,
  };
  const entryPoints = sources.map((file) => file.path).filter((path) => isEntryPoint(path) && path !== 'src/cli.ts');

  test.each(entryPoints)('%s is not larger than its limit', async (path) => {
    const name = path.slice('src/'.length, -'.ts'.length);
    const { gzip, modules } = await entrySize(path);
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

  test('the exports are the entry points', () => {
    const exported = Object.values(manifest.exports)
      .flatMap((target) => (typeof target === 'string' ? [] : [target.default]))
      .concat(Object.values(manifest.bin))
      .map((target) => target.replace('./dist/', 'src/').replace(/\.js$/, '.ts'));
    expect(exported.sort()).toEqual(
      sources
        .map((file) => file.path)
        .filter(isEntryPoint)
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

  test('the declarations are beside their modules', () => {
    for (const target of Object.values(manifest.exports)) {
      if (typeof target !== 'string') {
        expect(target.types).toBe(target.default.replace(/\.js$/, '.d.ts'));
      }
    }
  });
});
