/** What the command reads: standard input for `-`, otherwise a file, a pipe or a device. */
import type { Stats } from 'node:fs';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { addAbortSignal } from 'node:stream';
import type { RecordValue } from '../../index.ts';
import { fromJson } from '../../index.ts';
import { CommandError } from './command-error.ts';
import { naming, toFileError } from './file-error.ts';
import { isStandardInput, openReadPipe, openTerminal } from './pipe.ts';
import type { Context } from './shell.ts';

/** A JSON text beyond this is no record: a block holds 2 MiB. */
const MAX_JSON_LENGTH = 16 * 1024 * 1024;

const STANDARD_INPUT = 'standard input';

/** What a message calls a source. */
export const nameOfInput = (source: string): string => (isStandardInput(source) ? STANDARD_INPUT : source);

/** @throws {CommandError} `InvalidRequest` for an empty text, which the system would take for the current folder. */
export const assertPath = (path: string, what: string): void => {
  if (path === '') {
    throw new CommandError('InvalidRequest', `The path of ${what} is empty. For the current folder, give a dot.`);
  }
};

const lookAt = async (path: string): Promise<Stats> => {
  assertPath(path, 'a file');
  return naming('read', path, stat(path));
};

/** Whether a source can be read twice: a regular file can. Standard input, pipes and devices are read once. */
export const isReadableAgain = async (source: string): Promise<boolean> =>
  !isStandardInput(source) && (await lookAt(source)).isFile();

const openStandardInput = ({ stdin }: Context): Readable => {
  if (stdin.readableDidRead) {
    throw new CommandError('InvalidRequest', 'Standard input is read already. Only one argument can be "-".');
  }
  return stdin;
};

const openPath = async (path: string): Promise<Readable> => {
  const stats = await lookAt(path);
  if (stats.isDirectory()) {
    throw new CommandError('InvalidRequest', `a folder, where a file is expected; path=${path}`);
  }
  try {
    const special = openReadPipe(path, stats.isFIFO()) ?? (stats.isCharacterDevice() ? openTerminal(path) : undefined);
    if (special !== undefined) {
      return special;
    }
  } catch (error) {
    throw toFileError(error, 'read', path);
  }
  const file = createReadStream(path);
  // Opened at once, so that a file that may not be read is named before anything else happens.
  await naming(
    'read',
    path,
    new Promise<void>((resolve, reject) => file.once('open', () => resolve()).once('error', reject)),
  );
  return file;
};

/**
 * The bytes of standard input for `-`, of a file, a pipe or a device otherwise. Fails with an `AbortError` once Ctrl-C
 * was pressed, also while nothing comes.
 * @throws {CommandError} `InvalidRequest` for a folder, an empty path, and standard input that was read before.
 * @throws {FileError} when the system refuses.
 */
export const openInput = async (context: Context, source: string): Promise<Readable> => {
  context.signal.throwIfAborted();
  const input = isStandardInput(source) ? openStandardInput(context) : await openPath(source);
  return addAbortSignal(context.signal, input);
};

/**
 * A text of at most `maxLength` bytes. Strict UTF-8, because a replacement character would be stored as if it had been
 * meant.
 * @throws {CommandError} `InvalidRequest` when it is longer, or not UTF-8.
 */
export const readText = async (context: Context, source: string, what: string, maxLength: number): Promise<string> => {
  const input = await openInput(context, source);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxLength) {
      throw new CommandError('InvalidRequest', `more than ${maxLength} bytes of ${what}; input=${nameOfInput(source)}`);
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new CommandError('InvalidRequest', `not UTF-8; input=${nameOfInput(source)}`, { cause });
  }
};

const jsonOf = async (context: Context, source: string): Promise<string> => {
  if (source === '-') {
    return readText(context, source, 'JSON', MAX_JSON_LENGTH);
  }
  return source.startsWith('@') ? readText(context, source.slice(1), 'JSON', MAX_JSON_LENGTH) : source;
};

/**
 * A record from its JSON form: the text itself, `@file`, or `-` for standard input.
 * @throws {CommandError} `InvalidRequest` when the text is no JSON object.
 */
export const readRecord = async (context: Context, source: string): Promise<RecordValue> => {
  const text = await jsonOf(context, source);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CommandError('InvalidRequest', `not JSON: ${(error as SyntaxError).message}`, { cause: error });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new CommandError('InvalidRequest', 'a record is a JSON object');
  }
  return fromJson(json) as RecordValue;
};
