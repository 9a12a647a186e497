/** Reads a stream line by line. */
import type { Readable } from 'node:stream';
import { CommandError } from './command-error.ts';

export interface TextLine {
  /** Counts from 1. */
  readonly number: number;
  readonly text: string;
}

const LINE_FEED = 10;

/**
 * Yields the lines of a stream that are not blank. Strict UTF-8.
 * @param maxLength The most bytes of a line.
 * @throws {CommandError} `InvalidRequest` for a longer line, and for one that is not UTF-8.
 */
export async function* linesOf(input: Readable, maxLength: number, name: string): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 0;
  let parts: Uint8Array[] = [];
  let length = 0;
  const refuse = (what: string, cause?: unknown): CommandError =>
    new CommandError('InvalidRequest', `Line ${number} ${what}; line=${number} input=${name}`, { cause });
  const add = (part: Uint8Array): void => {
    length += part.length;
    if (length > maxLength) {
      number += 1;
      throw refuse(`has more than ${maxLength} bytes, so it is not a record. Check the file`);
    }
    parts.push(part);
  };
  const end = (): TextLine | undefined => {
    number += 1;
    const bytes = Buffer.concat(parts);
    parts = [];
    length = 0;
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch (error) {
      throw refuse('is not UTF-8. Convert the file to UTF-8', error);
    }
    return text.trim() === '' ? undefined : { number, text };
  };
  for await (const chunk of input as AsyncIterable<Buffer>) {
    let start = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, start)) {
      add(chunk.subarray(start, at));
      start = at + 1;
      const line = end();
      if (line !== undefined) {
        yield line;
      }
    }
    add(chunk.subarray(start));
  }
  const last = length > 0 ? end() : undefined;
  if (last !== undefined) {
    yield last;
  }
}
