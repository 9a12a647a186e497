/** The code in the documentation compiles, its tables are complete, and its links have targets. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../src/cli/program.ts';
import { REPO_ERROR_CODES } from '../src/core/errors.ts';
import { docstringSnippets, markdownSnippets } from './house/snippets.ts';
import { filesBelow, parseSource, root, sourcesBelow, textOf } from './house/sources.ts';

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'ARCHITECTURE.md',
  ...filesBelow('docs').filter((path) => path.endsWith('.md')),
  ...filesBelow('src').filter((path) => path.endsWith('.md')),
];
const README = textOf('README.md');

/** Declarations that snippets use without an import. */
const AMBIENT = `
/** The part of Deno's global that the examples use. More types would hide a missing import. */
declare const Deno: { readonly args: readonly string[]; open(path: string): Promise<{ readonly readable: ReadableStream<Uint8Array<ArrayBuffer>> }> };
`;

/** Compiles the snippets against the sources, as modules of a user. Returns the errors of the compiler. */
const compile = async (snippets: readonly { readonly name: string; readonly code: string }[]): Promise<string> => {
  const folder = join(root, 'out', 'test', 'docs');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'ambient.d.ts'), AMBIENT);
  for (const { name, code } of snippets) {
    // `export {}` makes a script without imports a module, in which top-level await is allowed.
    await writeFile(join(folder, name), `${code}\nexport {};\n`);
  }
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: true,
        rootDir: root,
        declaration: false,
        isolatedDeclarations: false,
        noUnusedLocals: false,
        typeRoots: [join(root, 'node_modules', '@types')],
        paths: { pdsdb: [join(root, 'src/index.ts')], 'pdsdb/*': [join(root, 'src/*.ts')] },
      },
      include: ['.'],
    }),
  );
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    await promisify(execFile)(process.execPath, [compiler, '-p', folder, '--pretty', 'false']);
    return '';
  } catch (error) {
    // `npm run check` reports errors in the sources.
    const { stdout } = error as { stdout: string };
    return stdout
      .split('\n')
      .filter((line) => line.includes('out/test/docs/'))
      .join('\n');
  }
};

describe('code in the documentation', () => {
  test('compiles', async () => {
    const pages = PAGES.flatMap((path) => markdownSnippets(path, textOf(path)));
    const docstrings = sourcesBelow('src').flatMap(docstringSnippets);
    expect(pages.length).toBeGreaterThan(2);
    expect(await compile([...pages, ...docstrings])).toBe('');
  });

  test('finds an error in a snippet', async () => {
    const wrong = [
      ...markdownSnippets('a.md', "text\n```ts\nimport { nothing } from 'pdsdb';\n```\n"),
      ...docstringSnippets(
        parseSource('b.ts', "/**\n * @example\n * const x: number = 'text';\n */\nexport const b = 1;\n"),
      ),
    ];
    const complaints = await compile(wrong);
    expect(complaints).toContain('a-md-1.ts');
    expect(complaints).toContain('b-ts-1.ts');
  });
});

describe('reference tables', () => {
  /** Returns the code words in the first column of the table with this header. */
  const firstColumn = (page: string, header: string): string[] => {
    const table = textOf(page)
      .split(/\n\n/)
      .find((part) => part.startsWith(`| ${header} |`));
    return [...(table ?? '').matchAll(/^\| `([^`]+)` \|/gm)].map(([, word]) => word!);
  };

  test('docs/errors.md explains every error code, and no other', () => {
    expect(firstColumn('docs/errors.md', 'code').sort()).toEqual([...REPO_ERROR_CODES].sort());
  });

  test.each(['README.md', 'docs/entry-points.md'])('%s names every entry point, and no other', (page) => {
    const { exports } = JSON.parse(textOf('package.json')) as { exports: Record<string, unknown> };
    const names = Object.keys(exports).filter((name) => name !== './package.json');
    expect(firstColumn(page, 'import').sort()).toEqual(names.map((name) => name.replace(/^\./, 'pdsdb')).sort());
  });

  test('docs/command.md names every verb of the command, and no other', async () => {
    const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
    const shell = {
      env: {},
      stdin: process.stdin,
      stdout: nowhere,
      stderr: nowhere,
      signal: new AbortController().signal,
    };
    const { commands } = await createProgram(shell, '0.0.0', []);
    const verbs = commands.flatMap((command) =>
      command.commands.length === 0
        ? [command.name()]
        : command.commands.map((inner) => `${command.name()} ${inner.name()}`),
    );
    const words = firstColumn('docs/command.md', 'usage').map((usage) => usage.replace(/ [<[-].*$/, ''));
    expect(words.sort()).toEqual(verbs.sort());
  });
});

test('links between pages have targets', () => {
  const dead = PAGES.flatMap((page) =>
    // A path from the root of the site is an example or the API reference, which test/site checks.
    [...textOf(page).matchAll(/\]\((?!https?:|#|\/)([^)#\s]+)/g)]
      .map(([, target]) => target!)
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page} -> ${target}`),
  );
  expect(dead).toEqual([]);
});

test('links of README.md are absolute, and those into the repository have targets', () => {
  const targets = [...README.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  expect(targets.filter((target) => !/^(https:|#)/.test(target))).toEqual([]);
  const { repository } = JSON.parse(textOf('package.json')) as { repository: { url: string } };
  const home = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
  const ours = targets.filter((target) => target.startsWith(`${home}/`));
  expect(ours.length).toBeGreaterThan(5);
  const pathOf = (target: string): string =>
    target
      .slice(home.length)
      .replace(/^\/(blob|tree)\/main\//, '')
      .replace(/#.*/, '');
  expect(ours.filter((target) => !existsSync(join(root, pathOf(target))))).toEqual([]);
});
