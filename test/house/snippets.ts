/** The code in the documentation, so that it can be compiled. */
import type { SourceFile } from './sources.ts';

export interface Snippet {
  /** A file name made from its page and position. */
  readonly name: string;
  readonly code: string;
}

const nameOf = (path: string, count: number): string => `${path.replace(/[^A-Za-z0-9]+/g, '-')}-${count}.ts`;

/** Returns the `ts` code blocks of a Markdown page. */
export const markdownSnippets = (path: string, text: string): Snippet[] =>
  [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code], index) => ({
    name: nameOf(path, index + 1),
    code: code!,
  }));

/** Returns the code after each `@example` in the docstrings of a source file, with or without a fence. */
export const docstringSnippets = ({ path, comments }: SourceFile): Snippet[] =>
  comments
    .filter(({ value }) => value.startsWith('*'))
    .map(({ value }) => value.replace(/^\s*\* ?/gm, ''))
    .flatMap((text) => [...text.matchAll(/@example\b[^\n]*\n([\s\S]*?)(?=^@\w|$(?![\s\S]))/gm)])
    .map(([, body], index) => ({ name: nameOf(path, index + 1), code: body!.replace(/^```\w*$/gm, '') }));
