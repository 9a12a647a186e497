/** The methods of a repository that only pass calls through: generated from their table, for the page's end. */
import type { Bytes } from '../../core/data/bytes.ts';
import { byteStream } from '../../core/data/streams.ts';
import type { LongWork } from '../../core/repo/long-work.ts';
import type { Compare, Entry, Table } from '../../core/repo/method-tables.ts';
import { recordPath, splitPath } from '../../core/repo/path.ts';
import type { Validate } from '../../core/repo/record.ts';
import { encodeRecord } from '../../core/repo/record.ts';
import type { Head, RecordValue, WriteOp } from '../../core/repo/repo.ts';
import type { Planner } from '../../core/repo/write/plan.ts';
import { planOp } from '../../core/repo/write/plan.ts';
import type { LazyBlobSource } from '../../core/storage/blob-source.ts';
import { isPending, openSource } from '../../core/storage/blob-source.ts';
import { createTidClock } from '../../core/syntax/tid.ts';
import type { ClientCalls } from './client-calls.ts';
import type { WireFile } from './files.ts';
import { fromWireFiles } from './files.ts';
import { resumedExport, resumedList } from './resumed.ts';

type Params = readonly unknown[];

/** Makes the parameters that cross of those that were given. Throws what the method rejects with. */
type Encode = (...params: never[]) => Params | Promise<Params>;

export class GeneratedMethods {
  readonly calls: ClientCalls;
  readonly #planner: Planner;

  constructor(calls: ClientCalls, validate: Validate | undefined) {
    this.calls = calls;
    this.#planner = { validate, clock: createTidClock() };
  }

  /** The methods of a table. @param lead Parameters that come before those of the method. */
  of<T, Own extends keyof T>(prefix: string, table: Table<T, Own>, lead: Params = []): Omit<T, Own> {
    const methods = Object.entries(table) as [string, Entry][];
    return Object.fromEntries(
      methods.map(([name, entry]) => [name, this.#methodOf(prefix + name, entry, lead)]),
    ) as unknown as Omit<T, Own>;
  }

  /** The bytes of a record that is to be written. Throws what `validate` throws. */
  encodeRecord(collection: string, rkey: string, value: RecordValue | Uint8Array): Bytes {
    recordPath(collection, rkey);
    return encodeRecord(collection, value, this.#planner.validate).bytes as Bytes;
  }

  #methodOf(method: string, entry: Entry, lead: Params): (...given: never[]) => unknown {
    const calls = this.calls;
    const encode: Encode = this.#encoders[method] ?? ((...params) => params);
    switch (entry.way) {
      case 'bytes':
        return ({ onProgress, ...options }: LongWork = {}) => {
          const open = (listener: LongWork['onProgress']): AsyncGenerator<Uint8Array> =>
            calls.open(method, lead, { ...options, onProgress: listener });
          return byteStream(resumedExport(open, onProgress));
        };
      case 'files':
        return (options: LongWork = {}) => fromWireFiles(calls.open<WireFile>(method, lead, options));
      case 'list':
        return async function* (...given) {
          const params = [...lead, ...(await encode(...given))];
          yield* resumedList(() => calls.open(method, params), entry.compare as Compare<unknown>);
        };
      default:
        return async (...given) => {
          calls.assertOpen();
          const params = encode(...given);
          // Nothing else happens before a call is sent, unless it waits for a source.
          return calls.run(method, entry, 'then' in params ? await params : params, lead);
        };
    }
  }

  readonly #put: Encode = (collection: string, rkey: string, value: RecordValue | Uint8Array, options: unknown) => [
    collection,
    rkey,
    this.encodeRecord(collection, rkey, value),
    options,
  ];

  readonly #write: Encode = (ops: readonly WriteOp[], options: unknown) => [
    ops.map((given) => {
      const { path, ...op } = planOp(this.#planner, given);
      const at = { action: op.action, ...splitPath(path), swapRecord: op.swapRecord };
      return 'record' in op ? { ...at, value: op.record.bytes } : at;
    }),
    options,
  ];

  readonly #encoders: Readonly<Record<string, Encode>> = {
    put: this.#put,
    'branch.put': this.#put,
    write: this.#write,
    'branch.write': this.#write,
    putBlob: async (source: LazyBlobSource, options: unknown) => [
      isPending(source) ? await openSource(source) : source,
      options,
    ],
    // The head of now, also when the list is opened again under another one.
    diff: async (from: unknown, to: unknown, options: unknown) => [
      from,
      to ?? ((await this.calls.run('head', { way: 'read' }, [])) as Head | undefined)?.cid,
      options,
    ],
  };
}
