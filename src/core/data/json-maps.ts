/**
 * An incremental parser of JSON that consists of maps, texts, numbers and `null`. It stores no values, so rejecting a
 * key costs only the bytes before it.
 */
import { RepoError } from '../errors.ts';
import { formatPath } from './value-path.ts';

/** A value that is not a map. */
export type JsonLeaf = boolean | number | string | null;

export interface JsonMapsReader {
  /**
   * Called with each key before its value is read. The path ends with the key. The parser reuses the array.
   * @returns Whether the value must be a map.
   */
  key(path: readonly string[]): boolean;
  /** Called with each value that is not a map. */
  leaf(path: readonly string[], value: JsonLeaf): void;
}

/** Most bytes of one encoded text or number. */
const MAX_TOKEN = 8192;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const COLON = 0x3a;
const COMMA = 0x2c;
const SPACES: ReadonlySet<number> = /* @__PURE__ */ new Set([0x20, 0x09, 0x0a, 0x0d]);
const PUNCTUATION: ReadonlySet<number> = /* @__PURE__ */ new Set([OPEN, CLOSE, COLON, COMMA]);

type State = 'colon' | 'end' | 'first key' | 'key' | 'next' | 'start' | 'value';

/** What to do about an input that is rejected. The only such input is the manifest of a backup. */
const ADVICE = 'use the file as backup wrote it';

/**
 * Parses one JSON map.
 * @throws {RepoError} `Malformed`; the errors of the reader.
 */
export class JsonMaps {
  readonly #reader: JsonMapsReader;
  readonly #decoder: TextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  readonly #token: Uint8Array = new Uint8Array(MAX_TOKEN);
  readonly #path: string[] = [];
  #length = 0;
  #isText = false;
  #isEscaped = false;
  #depth = 0;
  #state: State = 'start';
  #needsMap = true;

  constructor(reader: JsonMapsReader) {
    this.#reader = reader;
  }

  /** Parses the next bytes. */
  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (this.#isText) {
        this.#takeInText(byte);
      } else if (byte === QUOTE && this.#length === 0) {
        this.#isText = true;
        this.#take(byte);
      } else if (SPACES.has(byte)) {
        this.#endToken();
      } else if (PUNCTUATION.has(byte)) {
        this.#endToken();
        this.#punctuation(byte);
      } else {
        this.#take(byte);
      }
    }
  }

  #notJson(cause?: unknown): RepoError {
    const at = formatPath(this.#path);
    const message = `the input is not JSON of maps, texts and numbers: ${ADVICE}; at=${at} expected=${this.#state}`;
    return new RepoError('Malformed', message, cause === undefined ? {} : { cause });
  }

  /** Ends the input. */
  end(): void {
    if (this.#state !== 'end' || this.#length > 0) {
      throw this.#notJson();
    }
  }

  #take(byte: number): void {
    if (this.#length === MAX_TOKEN) {
      throw new RepoError(
        'Malformed',
        `a text or number in the JSON is too long: ${ADVICE}; at=${formatPath(this.#path)} limit=${MAX_TOKEN}`,
      );
    }
    this.#token[this.#length++] = byte;
  }

  #takeInText(byte: number): void {
    this.#take(byte);
    if (this.#isEscaped) {
      this.#isEscaped = false;
    } else if (byte === BACKSLASH) {
      this.#isEscaped = true;
    } else if (byte === QUOTE) {
      this.#isText = false;
      this.#endToken();
    }
  }

  #endToken(): void {
    if (this.#length === 0) {
      return;
    }
    let value: unknown;
    try {
      // At most one text or number, or an empty list, which is rejected below.
      value = JSON.parse(this.#decoder.decode(this.#token.subarray(0, this.#length)));
    } catch (cause) {
      throw this.#notJson(cause);
    }
    this.#length = 0;
    if (typeof value === 'object' && value !== null) {
      throw this.#notJson();
    }
    this.#scalar(value as JsonLeaf);
  }

  #scalar(value: JsonLeaf): void {
    if ((this.#state === 'key' || this.#state === 'first key') && typeof value === 'string') {
      this.#path[this.#depth - 1] = value;
      this.#needsMap = this.#reader.key(this.#path);
      this.#state = 'colon';
    } else if (this.#state === 'value' && !this.#needsMap) {
      this.#reader.leaf(this.#path, value);
      this.#state = 'next';
    } else {
      throw this.#notJson();
    }
  }

  #punctuation(byte: number): void {
    const state = this.#state;
    if (byte === OPEN && (state === 'start' || state === 'value') && this.#needsMap) {
      this.#depth += 1;
      this.#state = 'first key';
    } else if (byte === CLOSE && (state === 'first key' || state === 'next')) {
      this.#depth -= 1;
      this.#path.length = this.#depth;
      this.#state = this.#depth === 0 ? 'end' : 'next';
    } else if (byte === COLON && state === 'colon') {
      this.#state = 'value';
    } else if (byte === COMMA && state === 'next') {
      this.#state = 'key';
    } else {
      throw this.#notJson();
    }
  }
}
