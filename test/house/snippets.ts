/** The code in the documentation, so that it can be compiled. */
import type { SourceFile } from './sources.ts';

export interface Snippet {
  /** Where it stands, as a file name. */
  readonly name: string;
  readonly code: string;
}

const nameOf = (path: string, count: number): string => `${path.replace(/[^A-Za-z0-9]+/g, '-')}-${count}.ts`;

/** The blocks of a Markdown page that are fenced as `ts`. */
export const markdownSnippets = (path: string, text: string): Snippet[] =>
  [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code], index) => ({
    name: nameOf(path, index + 1),
    code: code!,
  }));

/** What follows `@example` in the docstrings of a source file, fenced or not. */
export const docstringSnippets = ({ path, comments }: SourceFile): Snippet[] =>
  comments
    .filter(({ value }) => value.startsWith('*'))
    .map(({ value }) => value.replace(/^\s*\* ?/gm, ''))
    .flatMap((text) => [...text.matchAll(/@example\b[^\n]*\n([\s\S]*?)(?=^@\w|$(?![\s\S]))/gm)])
    .map(([, body], index) => ({ name: nameOf(path, index + 1), code: body!.replace(/^```\w*$/gm, '') }));
