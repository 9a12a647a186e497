/** What the command reads: standard input for `-`, a file otherwise. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { addAbortSignal } from 'node:stream';
import type { RecordValue } from '../../index.ts';
import { fromJson } from '../../index.ts';
import { CommandError } from './command-error.ts';
import type { Context } from './shell.ts';

/** A JSON text beyond this is no record: a block holds 2 MiB. */
const MAX_JSON_LENGTH = 16 * 1024 * 1024;

/**
 * @throws {CommandError} `InvalidRequest` for a folder. Reading one fails, too, with an error that does not name it.
 */
export const assertNoFolder = async (path: string): Promise<void> => {
  if ((await stat(path)).isDirectory()) {
    throw new CommandError('InvalidRequest', `a folder, where a file is expected; path=${path}`);
  }
};

/** The bytes of a file. Errors as for {@link openInput}. */
const openFile = async (context: Context, path: string): Promise<Readable> => {
  await assertNoFolder(path);
  return addAbortSignal(context.signal, createReadStream(path));
};

/**
 * The bytes of standard input for `-`, of a file otherwise. Fails with an `AbortError` once Ctrl-C was pressed.
 * @throws {CommandError} `InvalidRequest` for a folder.
 */
export const openInput = async (context: Context, source: string): Promise<Readable> =>
  source === '-' ? addAbortSignal(context.signal, context.stdin) : openFile(context, source);

/** Strict UTF-8, because a replacement character would be stored as if it had been meant. */
const readText = async (input: Readable, name: string): Promise<string> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_JSON_LENGTH) {
      throw new CommandError('InvalidRequest', `more than ${MAX_JSON_LENGTH} bytes of JSON; input=${name}`);
    }
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new CommandError('InvalidRequest', `not UTF-8; input=${name}`, { cause });
  }
};

const jsonOf = async (context: Context, source: string): Promise<string> => {
  if (source === '-') {
    return readText(await openInput(context, source), 'standard input');
  }
  const path = source.slice(1);
  return source.startsWith('@') ? readText(await openFile(context, path), path) : source;
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
