/** Prints results: for people, for `cut` and `awk`, and as JSON. */
import type { Output } from './output.ts';
import { printable } from './printable.ts';
import type { Context } from './shell.ts';

/** Characters per write. With one write per line, a list of a million records needs a million writes. */
const BATCH_LENGTH = 16_384;

/**
 * Formats a field of a tab-separated line. Tabs, line breaks and escape sequences are escaped as in JSON, because texts
 * in a repository are untrusted.
 */
const field = (value: string | number | undefined): string => printable(String(value ?? ''));

/** Formats a value as JSON. Also escapes control characters that JSON allows; the value stays the same. */
export const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, undefined, indent).split('\n').map(printable).join('\n');

/** Prints one result: as JSON, or as rows with aligned labels. Skips rows without a value. */
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

/** Prints a list: one tab-separated line per entry, or with `--json` one JSON value per line. */
export interface ListPrinter {
  add(json: unknown, fields: readonly (string | number | undefined)[]): Promise<void>;
  /** Writes the last batch. */
  end(): Promise<void>;
}

/** Returns a printer that writes in batches. After Ctrl-C, `add` throws the reason of the signal. */
export const printList = (context: Context): ListPrinter => {
  let batch = '';
  const end = async (): Promise<void> => {
    const text = batch;
    batch = '';
    if (text !== '') {
      await context.stdout.text(text);
    }
  };
  return {
    async add(json, fields) {
      context.signal.throwIfAborted();
      batch += `${context.json ? jsonText(json) : fields.map(field).join('\t')}\n`;
      if (batch.length >= BATCH_LENGTH) {
        await end();
      }
    },
    end,
  };
};

/** Prints a warning to standard error. */
export const warn = (context: Context, message: string): Promise<void> =>
  context.stderr.text(`warning: ${field(message)}\n`);

/** Prints an error to standard error. */
export const printError = (stderr: Output, message: string): Promise<void> => stderr.text(`error: ${field(message)}\n`);
