/** Methods that repositories and branches build from `get`, `list` and `write`, locally and over a worker. */
import { cidToText } from '../data/cid.ts';
import { toJson } from '../data/json.ts';
import type { CreateRecordOptions, CreateResult, WriteOp, WriteOptions, WriteResult } from './commits.ts';
import type { FoundRecord, ListOptions, RecordEntry, RecordValue } from './tree.ts';
import type { CollectionName, JsonRecord, JsonRecordValue, RecordInput } from './typed-records.ts';

const jsonRecord = <C extends string>(
  collection: C,
  rkey: string,
  { uri, cid, value }: Pick<FoundRecord, 'cid' | 'uri' | 'value'>,
): JsonRecord<C> => ({ uri, cid: cidToText(cid), collection, rkey, value: toJson(value) as JsonRecordValue<C> });

export abstract class RecordMethods {
  abstract get(collection: string, rkey: string): Promise<FoundRecord | undefined>;
  abstract list(collection?: string | ListOptions, options?: ListOptions): AsyncIterable<RecordEntry>;
  abstract write(ops: readonly WriteOp[], options?: WriteOptions): Promise<WriteResult>;

  async create<C extends CollectionName>(
    collection: C,
    value: RecordInput<C>,
    { rkey, ...options }: CreateRecordOptions = {},
  ): Promise<CreateResult> {
    const op: WriteOp = { action: 'create', collection, rkey, value: value as RecordValue | Uint8Array };
    const { cid, rev, clockAhead, results } = await this.write([op], options);
    const [result] = results;
    const { uri } = result!;
    const commit = clockAhead === undefined ? { cid, rev } : { cid, rev, clockAhead };
    const made = { uri, cid: result!.cid!, rev, rkey: uri.slice(uri.lastIndexOf('/') + 1), commit };
    return clockAhead === undefined ? made : { ...made, clockAhead };
  }

  async getJson<C extends CollectionName>(collection: C, rkey: string): Promise<JsonRecord<C> | undefined> {
    const found = await this.get(collection, rkey);
    return found && jsonRecord(collection, rkey, found);
  }

  async *listJson<C extends CollectionName>(
    collection?: C | ListOptions,
    options?: ListOptions,
  ): AsyncGenerator<JsonRecord<C>> {
    for await (const entry of this.list(collection, options)) {
      yield jsonRecord(entry.collection as C, entry.rkey, entry);
    }
  }
}
