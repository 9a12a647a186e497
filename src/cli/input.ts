/** What the command reads: standard input for `-`, a file otherwise. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { addAbortSignal } from 'node:stream';
import type { RecordValue } from '../index.ts';
import { fromJson } from '../index.ts';
import { CommandError } from './command-error.ts';
import type { Context } from './shell.ts';

/** A JSON text beyond this is no record: a block holds 2 MiB. */
const MAX_JSON_LENGTH = 16 * 1024 * 1024;

/** The bytes of a file or of standard input. Fails with an `AbortError` once Ctrl-C was pressed. */
export const openInput = (context: Context, source: string): Readable =>
  addAbortSignal(context.signal, source === '-' ? context.stdin : createReadStream(source));

const readStandardInput = async (context: Context): Promise<string> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of openInput(context, '-') as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_JSON_LENGTH) {
      throw new CommandError('InvalidRequest', `more than ${MAX_JSON_LENGTH} bytes of JSON on standard input`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

const readText = async (context: Context, source: string): Promise<string> => {
  if (source === '-') {
    return readStandardInput(context);
  }
  return source.startsWith('@') ? readFile(source.slice(1), 'utf8') : source;
};

/**
 * A record from its JSON form: the text itself, `@file`, or `-` for standard input.
 * @throws {CommandError} `InvalidRequest` when the text is no JSON object.
 */
export const readRecord = async (context: Context, source: string): Promise<RecordValue> => {
  const text = await readText(context, source);
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
