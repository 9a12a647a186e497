/** The methods of a repository that only pass calls through: generated from their table, for the page's end. */
import type { Bytes } from '../../core/data/bytes.ts';
import { byteStream } from '../../core/data/streams.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import { reportingErrors } from '../../core/data/report-error.ts';
import { recordPath } from '../../core/repo/path.ts';
import type { Validate } from '../../core/repo/record.ts';
import { encodeRecord } from '../../core/repo/record.ts';
import type { Head, RecordValue, WriteOp } from '../../core/repo/repo.ts';
import type { LazyBlobSource } from '../../core/storage/blob-source.ts';
import { isPending, openSource } from '../../core/storage/blob-source.ts';
import { createTidClock } from '../../core/syntax/tid.ts';
import type { ClientCalls } from './client-calls.ts';
import type { WireFile } from './files.ts';
import { fromWireFiles } from './files.ts';
import type { Compare, Entry, Table } from './methods.ts';
import { resumedExport, resumedList } from './resumed.ts';

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
      methods[name] = (...given: unknown[]) => this.#invoke(prefix + name, entry, lead, given);
    }
    return methods as Omit<T, Own>;
  }

  /** The bytes of a record that is to be written. Throws what `validate` throws. */
  encodeRecord(collection: string, rkey: string, value: RecordValue | Uint8Array): Bytes {
    recordPath(collection, rkey);
    return encodeRecord(collection, value, this.#validate).bytes as Bytes;
  }

  #invoke(method: string, entry: Entry, lead: readonly unknown[], given: readonly unknown[]): unknown {
    const encode = this.#encoders[method] ?? ((params) => params);
    const { onProgress, ...rest } = (given[0] ?? {}) as LongWork;
    const open = (listener: LongWork['onProgress']): AsyncGenerator =>
      this.#open(method, [...lead, { ...rest, onProgress: listener && reportingErrors(listener) }]);
    switch (entry.way) {
      case 'bytes':
        return byteStream(resumedExport(open as () => AsyncGenerator<Uint8Array>, onProgress));
      case 'files':
        return fromWireFiles(open(onProgress) as AsyncGenerator<WireFile>);
      case 'list':
        return this.#list(method, lead, () => encode(given as never[]), entry.compare as Compare<unknown>);
      default:
        return this.#call(method, entry, lead, () => encode(given as never[]));
    }
  }

  async *#open(method: string, params: readonly unknown[]): AsyncGenerator {
    this.#calls.assertOpen();
    yield* this.#calls.peer.open(method, params);
  }

  async *#list(
    method: string,
    lead: readonly unknown[],
    encode: () => ReturnType<Encode>,
    compare: Compare<unknown>,
  ): AsyncGenerator {
    const params = [...lead, ...(await encode())];
    yield* resumedList(() => this.#open(method, params), compare);
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
    const options = entry.options === undefined ? undefined : entry.options + lead.length;
    return this.#calls.run(method, { ...entry, options }, params, lead.length === 0);
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
    putBlob: async ([source, options]) => [
      isPending(source as unknown as LazyBlobSource) ? await openSource(source!) : source,
      options,
    ],
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
}
