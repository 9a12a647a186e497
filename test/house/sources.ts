/** The project's own files, read and parsed once, for the tests of the rules. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';

/** The folder of package.json. */
export const root: string = fileURLToPath(new URL('../../', import.meta.url));

export const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

/**
 * Returns the paths of all files below a folder, sorted, relative to the root of the project, with `/`. Returns an
 * empty list if the folder is missing.
 */
export const filesBelow = (folder: string): string[] => {
  let names: string[];
  try {
    names = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error;
    }
    return [];
  }
  // The pages of the API reference and the examples of the site are written by `npm run docs:build`, and `.next` by the
  // tests of bundlers.
  return names.filter((name) => !/(^|\/)(node_modules|dist|out|\.next)\/|^docs\/(api|public)\//.test(name)).sort();
};

/** A node of the syntax tree, with the fields that these tests use. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export interface SourceFile {
  /** From the root of the project, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly body: readonly SyntaxNode[];
  /** The modules that it imports or re-exports: own files as paths from the root, packages by name. */
  readonly imports: readonly string[];
  /** The same, without imports of types only. */
  readonly valueImports: readonly string[];
  readonly comments: readonly { readonly value: string; readonly start: number; readonly end: number }[];
}

interface FromStatement extends SyntaxNode {
  readonly source?: { readonly value: string } | null;
  readonly importKind?: string;
  readonly exportKind?: string;
  readonly specifiers?: readonly { readonly importKind?: string; readonly exportKind?: string }[];
}

const isTypeOnly = (statement: FromStatement): boolean =>
  statement.importKind === 'type' ||
  statement.exportKind === 'type' ||
  (statement.specifiers !== undefined &&
    statement.specifiers.length > 0 &&
    statement.specifiers.every((one) => one.importKind === 'type' || one.exportKind === 'type'));

/** Yields a node and every node below it. */
export function* nodesBelow(node: unknown): Generator<SyntaxNode> {
  const rest: unknown[] = [node];
  while (rest.length > 0) {
    const next = rest.pop();
    if (Array.isArray(next)) {
      rest.push(...(next as unknown[]));
    } else if (typeof next === 'object' && next !== null) {
      if ('type' in next && typeof next.type === 'string') {
        yield next as SyntaxNode;
      }
      rest.push(...Object.values(next));
    }
  }
}

const resolveFrom = (path: string, specifier: string): string =>
  specifier.startsWith('.') ? join(dirname(path), specifier).split(sep).join('/') : specifier;

export const parseSource = (path: string, text: string): SourceFile => {
  const { program, comments, errors } = parseSync(path, text);
  if (errors.length > 0) {
    throw new Error(`${path} does not parse: ${errors[0]!.message}`);
  }
  const body = program.body as unknown as FromStatement[];
  const imports: string[] = [];
  const valueImports: string[] = [];
  for (const statement of body) {
    if (statement.source) {
      imports.push(resolveFrom(path, statement.source.value));
      if (!isTypeOnly(statement)) {
        valueImports.push(imports.at(-1)!);
      }
    }
  }
  for (const node of nodesBelow(body)) {
    const source = node.source as { value?: unknown } | undefined;
    if (node.type === 'ImportExpression' && typeof source?.value === 'string') {
      imports.push(resolveFrom(path, source.value));
      valueImports.push(imports.at(-1)!);
    }
  }
  return { path, text, body, imports, valueImports, comments };
};

const parsed = new Map<string, SourceFile>();

/** Returns the parsed TypeScript files below a folder, without declaration files. */
export const sourcesBelow = (folder: string): SourceFile[] =>
  filesBelow(folder)
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    .map((path) => {
      const source = parsed.get(path) ?? parseSource(path, textOf(path));
      parsed.set(path, source);
      return source;
    });

/** Returns the number of lines of a text. A line break at the end does not start a line. */
export const lineCount = (text: string): number => text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
