/**
 * Values for `structuredClone`, which does not keep classes and clones no function: CIDs cross as texts, functions,
 * streams, contents of files and signals as references.
 */
import { blobReader } from '../../core/data/blob-reader.ts';
import { asCid, cidToText, parseCid } from '../../core/data/cid.ts';
import { isPlainMap } from '../../core/data/plain-map.ts';
import type { BackupContent } from '../../core/storage/backup-file.ts';
import { isArrayBuffer, isBlob, isBytes, isMap, isReadableStream } from '../../core/data/platform-values.ts';
import { byteStream, chunksOf } from '../../core/data/streams.ts';
import type { Page, Source } from './streams.ts';
import { itemsFrom } from './streams.ts';

/** No value of ours has a field of the name `/`. A CID has no kind. */
interface Reference {
  readonly '/': string;
  readonly kind?: 'bytes' | 'content' | 'function' | 'items' | 'signal' | undefined;
  /** Of the content of a file. */
  readonly size?: number | undefined;
}

export type Run = (...params: unknown[]) => unknown;

/** The names under which one end has what the other end refers to. */
export interface Names {
  /** The signal among the values. Messages say when it aborts. */
  signal: AbortSignal | undefined;
  nameOf(value: Run | Source): string;
}

/** Returns a copy with the inner values changed. A value of a class stays as it is. */
const mapInner = (value: object, change: (inner: unknown) => unknown): unknown => {
  if (Array.isArray(value)) {
    return value.map(change);
  }
  if (isMap(value)) {
    return new Map([...value].map(([key, inner]) => [key, change(inner)]));
  }
  return isPlainMap(value)
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, change(inner)]))
    : value;
};

const isAsyncIterable = (value: object): value is AsyncIterable<unknown> => Symbol.asyncIterator in value;

const isSignal = (value: object): value is AbortSignal => 'aborted' in value && 'addEventListener' in value;

const isContent = (value: object): value is BackupContent => 'size' in value && 'stream' in value;

/** Opens the file when its first bytes are asked for. */
async function* bytesOf(content: BackupContent): AsyncGenerator<Uint8Array> {
  yield* chunksOf(content.stream());
}

/**
 * Returns the value as it crosses. Bytes that are a part of a larger buffer are copied: a clone of them would carry the
 * whole buffer.
 * @param names Keeps what the other end can call.
 */
export const pack = (value: unknown, names: Names): unknown => {
  if (typeof value === 'function') {
    return { '/': names.nameOf(value as Run), kind: 'function' };
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  if (isBytes(value)) {
    return value.byteLength === value.buffer.byteLength && isArrayBuffer(value.buffer) ? value : new Uint8Array(value);
  }
  const cid = asCid(value);
  if (cid !== undefined) {
    return { '/': cidToText(cid) };
  }
  if (isReadableStream(value)) {
    return { '/': names.nameOf(value as ReadableStream<Uint8Array>), kind: 'bytes' };
  }
  if (isAsyncIterable(value)) {
    return { '/': names.nameOf(value), kind: 'items' };
  }
  if (isSignal(value)) {
    names.signal = value;
    return { '/': '', kind: 'signal' };
  }
  if (isBlob(value)) {
    // A blob of jsdom cannot be cloned. It has no `stream` either.
    const isCloned = typeof (value as Partial<Blob>).stream === 'function';
    return isCloned ? value : { '/': names.nameOf(byteStream(chunksOf(blobReader(value)))), kind: 'bytes' };
  }
  if (isContent(value)) {
    return { '/': names.nameOf(bytesOf(value)), kind: 'content', size: value.size };
  }
  return mapInner(value, (inner) => pack(inner, names));
};

/** What references become at the end that receives them. */
export interface Referring {
  /** Calls what the other end has under a name. */
  call(name: string, params: readonly unknown[]): Promise<unknown>;
  /** Of the call whose parameters are unpacked. */
  readonly signal?: AbortSignal | undefined;
}

/** Returns what {@link pack} was given. */
export const unpack = (value: unknown, end: Referring): unknown => {
  if (typeof value !== 'object' || value === null || isBytes(value)) {
    return value;
  }
  return isPlainMap(value) && typeof value['/'] === 'string'
    ? refer(value as unknown as Reference, end)
    : mapInner(value, (inner) => unpack(inner, end));
};

const refer = ({ '/': name, kind, size }: Reference, end: Referring): unknown => {
  const run = (...params: unknown[]): Promise<unknown> => {
    const reply = end.call(name, params);
    // A caller that ignores the reply, as for progress, ignores its failure.
    reply.catch(() => {});
    return reply;
  };
  const items = (): AsyncGenerator =>
    itemsFrom(
      () => run() as Promise<Page>,
      () => run(true).then(undefined, () => {}) as Promise<void>,
    );
  switch (kind) {
    case undefined:
      return parseCid(name);
    case 'bytes':
      return byteStream(items() as AsyncGenerator<Uint8Array>);
    case 'content':
      return { size, stream: () => byteStream(items() as AsyncGenerator<Uint8Array>) };
    case 'function':
      return run;
    case 'items':
      return items();
    case 'signal':
      return end.signal;
  }
};
