/** The samples of README.md, as a reader copies them. */
import { textOf } from '../house/sources.ts';

/** A sample whose first line in README.md is a file name, and optionally a command. */
export interface FileSample {
  readonly kind: 'file';
  readonly name: string;
  /** The command that runs it. `undefined` for a file that other samples load. */
  readonly command: string | undefined;
  readonly code: string;
}

/** Lines for a shell. */
export interface ShellSample {
  readonly kind: 'shell';
  readonly code: string;
}

export type Sample = FileSample | ShellSample;

/** `// app.mjs, run with: node app.mjs` or `<!-- index.html -->`. */
const FIRST_LINE = /^(?:\/\/|<!--) ([\w.-]+\.(?:mjs|js|ts|html))(?:, run with: (.+?))?(?: -->)?$/;

const sampleOf = (language: string, code: string): Sample => {
  if (language === 'sh') {
    return { kind: 'shell', code };
  }
  const [first] = code.split('\n');
  const [, name, command] = FIRST_LINE.exec(first!) ?? [];
  if (name === undefined) {
    throw new Error(`a sample of README.md begins with its file name; this one begins with: ${first}`);
  }
  return { kind: 'file', name, command, code };
};

/** Returns all samples of a Markdown page, in order. A block without a language is not a sample. */
export const samplesOf = (markdown: string): Sample[] =>
  [...markdown.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)]
    .filter(([, language]) => language !== '')
    .map(([, language, code]) => sampleOf(language!, code!));

const samples = samplesOf(textOf('README.md'));

/** npm installs the package, or runs the scripts of a clone. */
const isInstallation = ({ code }: Sample): boolean =>
  code.split('\n').every((line) => line === '' || /^npm /.test(line));

export const installations: readonly Sample[] = samples.filter(
  (sample) => sample.kind === 'shell' && isInstallation(sample),
);

/** Returns the samples for a terminal, in order. */
export const terminalSamples: readonly Sample[] = samples.filter((sample) =>
  sample.kind === 'shell' ? !isInstallation(sample) : sample.command !== undefined,
);

/** Returns the files of the page for a browser. */
export const pageSamples: readonly FileSample[] = samples.filter(
  (sample) => sample.kind === 'file' && sample.command === undefined,
) as FileSample[];
