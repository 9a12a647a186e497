/** The methods of a repository that only pass calls through: generated from their table, for the page's end. */
import type { CarSource } from '../../core/car/source.ts';
import { toChunks } from '../../core/car/source.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import { isBlob, isBytes, isReadableStream } from '../../core/data/platform-values.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import { recordPath } from '../../core/repo/path.ts';
import type { Validate } from '../../core/repo/record.ts';
import { encodeRecord } from '../../core/repo/record.ts';
import type { Head, RecordValue, WriteOp } from '../../core/repo/repo.ts';
import type { LazyBlobSource } from '../../core/storage/blob-source.ts';
import { isPending, openSource } from '../../core/storage/blob-source.ts';
import { createTidClock } from '../../core/syntax/tid.ts';
import type { ClientCalls } from './client-calls.ts';
import { takeFiles } from './files.ts';
import type { Compare, Entry, Table } from './methods.ts';
import { resumedExport, resumedList } from './resumed.ts';
import { byteStream, isWireStream } from './streams.ts';

/** Small chunks cross together up to this size: a message costs a tenth of a millisecond, however small it is. */
const MIN_CHUNK = 16 * 1024;
/** Large chunks are cut: two of them are in memory at a time. */
const MAX_CHUNK = 1024 * 1024;

/** Copies: a source may use the memory of a chunk again for the next one. */
async function* chunksOfSource(source: CarSource): AsyncGenerator<Uint8Array> {
  for await (const chunk of toChunks(source)) {
    if (!isBytes(chunk)) {
      throw new TypeError('expected a stream of Uint8Array');
    }
    for (let at = 0; at < chunk.length; at += MAX_CHUNK) {
      yield chunk.slice(at, at + MAX_CHUNK);
    }
  }
}

/** A blob of jsdom has no `stream`, and cannot be sent. */
const isSent = (source: unknown): boolean =>
  isBytes(source) || (isBlob(source) && typeof (source as Partial<Blob>).stream === 'function');

/** Streams of WebKit have no async iterator. */
const isChunked = (source: unknown): source is CarSource =>
  isBlob(source) ||
  isReadableStream(source) ||
  (typeof source === 'object' && source !== null && Symbol.asyncIterator in source);

/** Makes parameters of the form that crosses of those that were given. Throws what the method rejects with. */
type Encode = (params: readonly never[]) => readonly unknown[] | Promise<readonly unknown[]>;

export class GeneratedMethods {
  readonly #calls: ClientCalls;
  readonly #validate: Validate | undefined;
  readonly #clock = createTidClock();

  constructor(calls: ClientCalls, validate: Validate | undefined) {
    this.#calls = calls;
    this.#validate = validate;
  }

  /** The methods of a table. @param lead Parameters that come before those of the method. */
  of<T, Own extends keyof T>(prefix: string, table: Table<T, Own>, lead: readonly unknown[] = []): Omit<T, Own> {
    const methods: Record<string, unknown> = {};
    for (const [name, entry] of Object.entries(table) as [string, Entry][]) {
      methods[name] = (...given: unknown[]) => this.#invoke(prefix, name, entry, lead, given);
    }
    return methods as Omit<T, Own>;
  }

  /** The bytes of a record that is to be written. Throws what `validate` throws. */
  encodeRecord(collection: string, rkey: string, value: RecordValue | Uint8Array): Bytes {
    recordPath(collection, rkey);
    return encodeRecord(collection, value, this.#validate).bytes as Bytes;
  }

  #invoke(prefix: string, name: string, entry: Entry, lead: readonly unknown[], given: readonly unknown[]): unknown {
    const method = prefix + name;
    const encode = this.#encoders[method] ?? ((params) => params);
    if (entry.way === 'list') {
      return this.#list(method, lead, () => encode(given as never[]), entry.compare as Compare<unknown>);
    }
    if (entry.way !== 'bytes' && entry.way !== 'files') {
      return this.#call(method, entry, lead, () => encode(given as never[]));
    }
    const { signal, onProgress, ...rest } = (given[0] ?? {}) as LongWork;
    const open = (listener: LongWork['onProgress']): AsyncGenerator<unknown> =>
      this.#open(method, [...lead, rest], { signal, onProgress: listener });
    return entry.way === 'files'
      ? takeFiles(this.#calls.peer, open(onProgress))
      : byteStream(resumedExport(open as () => AsyncGenerator<Uint8Array>, onProgress));
  }

  async *#open(method: string, params: readonly unknown[], work: LongWork): AsyncGenerator<unknown> {
    this.#calls.assertOpen();
    yield* this.#calls.peer.open(method, params, work);
  }

  async *#list(
    method: string,
    lead: readonly unknown[],
    encode: () => ReturnType<Encode>,
    compare: Compare<unknown>,
  ): AsyncGenerator<unknown> {
    const params = [...lead, ...(await encode())];
    yield* resumedList(() => this.#open(method, params, {}), compare);
  }

  async #call(
    method: string,
    entry: Entry,
    lead: readonly unknown[],
    encode: () => ReturnType<Encode>,
  ): Promise<unknown> {
    this.#calls.assertOpen();
    const encoded = encode();
    // Nothing else happens before a call is sent, unless it waits for a source.
    const params = [...lead, ...(Array.isArray(encoded) ? encoded : await encoded)];
    const at = entry.options === undefined ? undefined : entry.options + lead.length;
    try {
      return await this.#calls.run(method, { ...entry, options: at }, params, lead.length === 0);
    } finally {
      params.filter(isWireStream).forEach((stream) => void this.#calls.peer.withdraw(stream));
    }
  }

  readonly #encodePut: Encode = ([collection, rkey, value, options]) => [
    collection,
    rkey,
    this.encodeRecord(collection!, rkey!, value!),
    options,
  ];

  readonly #encodeWrite: Encode = ([ops, options]) => [
    (ops as unknown as readonly WriteOp[]).map((op) => this.#encodeOp(op)),
    options,
  ];

  readonly #encoders: Readonly<Record<string, Encode>> = {
    put: this.#encodePut,
    'branch.put': this.#encodePut,
    write: this.#encodeWrite,
    'branch.write': this.#encodeWrite,
    importCar: ([source, options]) => [this.#offered(source, options), options],
    putBlob: async ([given, options]) => {
      const source: unknown = isPending(given as unknown as LazyBlobSource) ? await openSource(given!) : given;
      return [isReadableStream(source) ? this.#offered(source, options) : source, options];
    },
    // The head of now, also when the list is opened again under another one.
    diff: async ([from, to]) => [from, to ?? ((await this.#calls.run('head', { way: 'read' }, [])) as Head)?.cid],
  };

  #encodeOp(op: WriteOp): unknown {
    const { action, collection, swapRecord } = op;
    if (action !== 'create' && action !== 'update' && action !== 'delete') {
      throw new TypeError(`an operation is create, update or delete; action=${String(action)}`);
    }
    const rkey = action === 'create' ? (op.rkey ?? this.#clock.next()) : op.rkey;
    recordPath(collection, rkey);
    const value = action === 'delete' ? {} : { value: this.encodeRecord(collection, rkey, op.value) };
    return { action, collection, rkey, ...value, swapRecord };
  }

  /** A source in chunks is offered as a stream. The other end says what is wrong with a source that is of no kind. */
  #offered(source: unknown, options: unknown): unknown {
    const { signal } = (options ?? {}) as LongWork;
    return isSent(source) || !isChunked(source)
      ? source
      : this.#calls.peer.offer(chunksOfSource(source), { signal, bytes: MIN_CHUNK });
  }
}
