/** How answers are printed: for people, for `cut` and `awk`, and for programs. */
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import type { Context } from './shell.ts';

/** Enough lines for one write to a pipe; fewer, and a list of a million records is a million writes. */
const BATCH_LENGTH = 16_384;

/**
 * A field of a tab-separated line. What would break the line or the terminal (tabs, line ends, escape sequences:
 * texts in a repository are somebody else's) is written as JSON writes it.
 */
const field = (value: string | number | undefined): string => printable(String(value ?? ''));

/** A value as JSON. Characters that JSON lets through, and terminals obey, are escaped: it stays the same value. */
export const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, undefined, indent).split('\n').map(printable).join('\n');

/** One answer: the JSON value, or its rows with the labels aligned. Rows without a value are left out. */
export const printOne = async (
  context: Context,
  json: unknown,
  rows: readonly (readonly [label: string, value: string | number | undefined])[],
): Promise<void> => {
  if (context.json) {
    await context.stdout.text(`${jsonText(json)}\n`);
    return;
  }
  const shown = rows.filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...shown.map(([label]) => label.length));
  await context.stdout.text(shown.map(([label, value]) => `${label.padEnd(width)}  ${field(value)}\n`).join(''));
};

/** A list: a line an entry, tab-separated, or with `--json` a JSON value a line. */
export interface ListPrinter {
  add(json: unknown, fields: readonly (string | number | undefined)[]): Promise<void>;
  /** Writes what is left. */
  end(): Promise<void>;
}

/** Lines leave in batches, and at the latest with `end`. Throws the signal's reason once Ctrl-C was pressed. */
export const printList = (context: Context): ListPrinter => {
  let waiting = '';
  const end = async (): Promise<void> => {
    const text = waiting;
    waiting = '';
    if (text !== '') {
      await context.stdout.text(text);
    }
  };
  return {
    async add(json, fields) {
      context.signal.throwIfAborted();
      waiting += `${context.json ? jsonText(json) : fields.map(field).join('\t')}\n`;
      if (waiting.length >= BATCH_LENGTH) {
        await end();
      }
    },
    end,
  };
};

/** A word to the person in front of the terminal, beside the answer. */
export const warn = (context: Context, message: string): Promise<void> =>
  context.stderr.text(`warning: ${field(message)}\n`);

/** Something went wrong: a sentence on standard error. */
export const printError = (stderr: Output, message: string): Promise<void> => stderr.text(`error: ${field(message)}\n`);
