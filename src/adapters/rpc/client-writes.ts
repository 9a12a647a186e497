/**
 * What a write of a page needs on its way: a name that makes it safe to ask again, and a signer that stays in the page.
 */
import { asCid } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import type { RecordValue, WriteOp, WriteOptions } from '../../core/repo/repo.ts';
import { assertWriteOptions } from '../../core/repo/write/argument-checks.ts';
import { assertMetaValues } from '../../core/repo/write/meta.ts';
import { recordPath } from '../../core/repo/path.ts';
import type { Validate } from '../../core/repo/record.ts';
import { encodeRecord } from '../../core/repo/record.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import { createTidClock } from '../../core/syntax/tid.ts';
import type { WriteRequest } from '../../core/repo/write/write-request.ts';
import type { WireOp, WireWriteOptions } from './protocol.ts';

/** One write under way. */
export interface PreparedWrite {
  /** The options as they are sent; once it has been asked again, they say so. */
  options(): WireWriteOptions;
  askAgain(): void;
  done(): void;
}

export interface ClientWrites {
  /** @param rev The head's rev as far as it is known. */
  prepare(options: WriteOptions, rev: string | undefined): PreparedWrite;
  /** A name for a request that is no commit of ours. */
  nameRequest(): string;
  /** Operations with their records encoded and their keys chosen. Throws what a repository would reject with. */
  encode(ops: readonly WriteOp[]): WireOp[];
  /** The bytes of a record that is to be written. Throws what `validate` throws. */
  encodeRecord(collection: string, value: RecordValue | Uint8Array): Bytes;
  sign(signer: number, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
}

const NAME_BYTES = 9;

/** A text that no other page has. */
export const uniqueName = (): string =>
  [...crypto.getRandomValues(new Uint8Array(NAME_BYTES))].map((byte) => byte.toString(36).padStart(2, '0')).join('');

/** How a page writes. */
export interface WritesOptions {
  readonly signer?: Signer | undefined;
  readonly validate?: Validate | undefined;
}

export const createClientWrites = ({ signer, validate }: WritesOptions): ClientWrites => {
  const client = uniqueName();
  const clock = createTidClock();
  const signers = new Map<number, Signer>();
  let requests = 0;
  let signerCount = 0;

  const nameRequest = (): string => `${client}.${requests++}`;

  const encode = (collection: string, value: RecordValue | Uint8Array): Bytes =>
    encodeRecord(collection, value, validate).bytes as Bytes;

  const encodeOp = (op: WriteOp): WireOp => {
    const { action, collection } = op;
    if (action !== 'create' && action !== 'update' && action !== 'delete') {
      throw new TypeError(`an operation is create, update or delete; action=${String(action)}`);
    }
    const rkey = action === 'create' ? (op.rkey ?? clock.next()) : op.rkey;
    recordPath(collection, rkey);
    assertWriteOptions({}, [op]);
    const swapRecord = op.swapRecord === null || op.swapRecord === undefined ? op.swapRecord : asCid(op.swapRecord);
    return action === 'delete'
      ? { action, collection, rkey, swapRecord }
      : {
          action,
          collection,
          rkey,
          value: encode(collection, op.value),
          swapRecord,
        };
  };

  return {
    prepare({ signer: once, request, ...options }, rev) {
      assertMetaValues(options.meta);
      const by = once ?? signer;
      const id = signerCount++;
      if (by !== undefined) {
        signers.set(id, by);
      }
      const name: WriteRequest = request ?? { id: nameRequest() };
      let again = name.again;
      return {
        options: () => ({
          ...options,
          request: { id: name.id, again },
          signer: by && { id, did: by.did?.() },
        }),
        askAgain: () => (again ??= { since: rev }),
        done: () => signers.delete(id),
      };
    },
    nameRequest,
    encodeRecord: encode,
    encode: (ops) => ops.map(encodeOp),
    async sign(id, bytes) {
      const found = signers.get(id);
      if (found === undefined) {
        throw new RepoError('Closed', 'the write that is to be signed has ended');
      }
      return found.sign(bytes);
    },
  };
};
