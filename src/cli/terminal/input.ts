/** Reads input of the command: standard input for `-`, otherwise a file, a pipe or a device. */
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
import { assertNoDatabase } from './postgres-url.ts';
import type { Context } from './shell.ts';

/** The largest JSON text of a record. A block has at most 2 MiB. */
const MAX_JSON_LENGTH = 16 * 1024 * 1024;

const STANDARD_INPUT = 'standard input';

/** The name of a source in messages. */
export const nameOfInput = (source: string): string => (isStandardInput(source) ? STANDARD_INPUT : source);

/**
 * @throws {CommandError} `InvalidRequest` if `path` is empty, because the system would take it for the current folder,
 *   or if it is a database.
 */
export const assertPath = (path: string, what: string): void => {
  assertNoDatabase(path);
  if (path === '') {
    throw new CommandError('InvalidRequest', `The path of ${what} is empty. For the current folder, give a dot.`);
  }
};

const lookAt = async (path: string): Promise<Stats> => {
  assertPath(path, 'a file');
  return naming('read', path, stat(path));
};

/** Whether a source can be read twice. Only a regular file can. */
export const isReadableAgain = async (source: string): Promise<boolean> =>
  !isStandardInput(source) && (await lookAt(source)).isFile();

const openStandardInput = ({ stdin }: Context): Readable => {
  if (stdin.readableDidRead) {
    throw new CommandError('InvalidRequest', 'Standard input is already in use. Only one argument can be "-".');
  }
  return stdin;
};

const openPath = async (path: string): Promise<Readable> => {
  const stats = await lookAt(path);
  if (stats.isDirectory()) {
    throw new CommandError('InvalidRequest', `Cannot read ${path}: it is a folder. Give the path of a file.`);
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
  // Opened at once, so that a missing permission is reported before anything else happens.
  await naming(
    'read',
    path,
    new Promise<void>((resolve, reject) => file.once('open', () => resolve()).once('error', reject)),
  );
  return file;
};

/**
 * Returns a stream of standard input for `-`, otherwise of a file, a pipe or a device. After Ctrl-C it fails with an
 * `AbortError`, also while it waits for data.
 * @throws {CommandError} `InvalidRequest` for a folder, an empty path, and standard input that is already in use.
 * @throws {FileError} for an error of the system.
 */
export const openInput = async (context: Context, source: string): Promise<Readable> => {
  context.signal.throwIfAborted();
  const input = isStandardInput(source) ? openStandardInput(context) : await openPath(source);
  return addAbortSignal(context.signal, input);
};

/**
 * Reads a text of at most `maxLength` bytes. Strict UTF-8, because replacement characters would be stored.
 * @throws {CommandError} `InvalidRequest` if it is longer, or not UTF-8.
 */
export const readText = async (context: Context, source: string, what: string, maxLength: number): Promise<string> => {
  const input = await openInput(context, source);
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxLength) {
      throw new CommandError(
        'InvalidRequest',
        `The input has more than ${maxLength} bytes, so it is not ${what}. Check the path; input=${nameOfInput(source)}`,
      );
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new CommandError(
      'InvalidRequest',
      `The input is not UTF-8. Convert it to UTF-8; input=${nameOfInput(source)}`,
      { cause },
    );
  }
};

const jsonOf = async (context: Context, source: string): Promise<string> => {
  if (source === '-') {
    return readText(context, source, 'JSON', MAX_JSON_LENGTH);
  }
  return source.startsWith('@') ? readText(context, source.slice(1), 'JSON', MAX_JSON_LENGTH) : source;
};

/**
 * Reads a record in its JSON form. `source` is the JSON itself, `@file`, or `-` for standard input.
 * @throws {CommandError} `InvalidRequest` if the text is not a JSON object.
 */
export const readRecord = async (context: Context, source: string): Promise<RecordValue> => {
  const text = await jsonOf(context, source);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CommandError(
      'InvalidRequest',
      `The record is not JSON: ${(error as SyntaxError).message}. To read a file, give @file.`,
      { cause: error },
    );
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new CommandError(
      'InvalidRequest',
      `The record is not a JSON object. Give an object, such as {"text":"Hello"}; json=${text.slice(0, 80)}`,
    );
  }
  return fromJson(json) as RecordValue;
};
