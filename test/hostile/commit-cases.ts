/** Commits that are invalid, of another account, of another time, or unsigned. */
import { p256 } from '@noble/curves/nist.js';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concatBytes } from '../../src/core/data/bytes.ts';
import { decodeCbor } from '../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import type { CID } from '../../src/core/data/cid.ts';
import { cidToText } from '../../src/core/data/cid.ts';
import type { ImportOptions } from '../../src/core/repo/long-work.ts';
import { tidOf } from '../../src/core/syntax/tid.ts';
import { DID, KEY, OTHER_DID, OTHER_KEY, POST, post } from '../../src/testing/repo/harness.ts';
import { hex } from '../core/mst/raw-node.ts';
import { BASE_REV, NEW_REV, carOf, posts, repositoryOf, signFields } from './build-repository.ts';
import type { RepositoryParts } from './build-repository.ts';
import type { HostileCase, HostileClass } from './hostile-case.ts';
import { refusals } from './hostile-case.ts';

const made = (parts: RepositoryParts) => async (): Promise<Uint8Array> => carOf(await repositoryOf(parts));
/** Signs other fields. */
const fields = (other: Readonly<Record<string, unknown>>) => made({ fields: other });
const commit = (write: (data: CID) => Uint8Array | Promise<Uint8Array>) => made({ commit: write });

const rightFields = (data: CID): Record<string, unknown> => ({ did: DID, version: 3, data, rev: NEW_REV, prev: null });
/** Changes the bytes of the valid commit without signing it again. */
const edited = (change: (text: string) => string) =>
  commit(async (data) => hex(change(Buffer.from(await signFields(rightFields(data))).toString('hex'))));
/** The valid fields with any signature. */
const withSig = (sign: (unsigned: Uint8Array) => Uint8Array | Promise<Uint8Array>) =>
  commit(async (data) => encodeCbor({ ...rightFields(data), sig: await sign(encodeCbor(rightFields(data))) }));

const tid = (microseconds: number): string => tidOf(microseconds, 0);
const VERSION = '6776657273696f6e03';

const forms: readonly HostileCase[] = refusals('Malformed', {
  'a record in place of the commit': commit(() => encodeCbor(post('no commit'))),
  'a tree node in place of the commit': commit(() => encodeCbor({ e: [], l: null })),
  'a list': commit(() => encodeCbor([1])),
  'no bytes': commit(() => new Uint8Array()),
  'version 1': fields({ version: 1 }),
  'version 4': fields({ version: 4 }),
  'the version as text': fields({ version: '3' }),
  'no version': fields({ version: undefined }),
  'no did': fields({ did: undefined }),
  'a did that is empty': fields({ did: '' }),
  'a did that climbs': fields({ did: 'did:plc:../../etc/passwd' }),
  'a did with a NUL': fields({ did: `${DID}\0` }),
  'a did with a line end': fields({ did: `${DID}\n` }),
  'a did of 10 kB': fields({ did: `did:plc:${'a'.repeat(10_000)}` }),
  'a did in upper case': fields({ did: DID.toUpperCase() }),
  'no data': fields({ data: undefined }),
  'null for data': fields({ data: null }),
  'no rev': fields({ rev: undefined }),
  'a rev that is no TID': fields({ rev: '0000000000000' }),
  'a rev with its top bit set': fields({ rev: 'zzzzzzzzzzzzz' }),
  'a rev of 14 characters': fields({ rev: `${NEW_REV}2` }),
  'a rev that is a number': fields({ rev: 5 }),
  'no prev': fields({ prev: undefined }),
  'prev as text': fields({ prev: 'x' }),
  'one field more': fields({ blobs: [] }),
  'a field __proto__': fields(Object.defineProperty({}, '__proto__', { value: { polluted: true }, enumerable: true })),
  'fields in another order': edited((text) => `a6${VERSION}${text.slice(2).replace(VERSION, '')}`),
  'the version in two bytes': edited((text) => text.replace(VERSION, '6776657273696f6e1803')),
  'a map without an end': edited((text) => `bf${text.slice(2)}ff`),
  'bytes after the commit': edited((text) => `${text}00`),
  'a sig of 63 bytes': withSig(() => new Uint8Array(63)),
  'a sig of 65 bytes': withSig(async (unsigned) => concatBytes([Uint8Array.of(27), await KEY.sign(unsigned)])),
  'a sig in DER': withSig(async (unsigned) => secp256k1.Signature.fromBytes(await KEY.sign(unsigned)).toBytes('der')),
  'no sig but an empty one': withSig(() => new Uint8Array(0)),
  'a sig as text': commit((data) => encodeCbor({ ...rightFields(data), sig: 'a'.repeat(64) })),
});

const ours: ImportOptions = { key: KEY.did!() };
/** The high-S form of the same signature. A verifier that does not require low-S accepts it. */
const highS = (order: bigint, sig: Uint8Array): Uint8Array => {
  const s = order - BigInt(`0x${Buffer.from(sig.subarray(32)).toString('hex')}`);
  return concatBytes([sig.subarray(0, 32), hex(s.toString(16).padStart(64, '0'))]);
};
const half = (value: bigint): Uint8Array => hex(value.toString(16).padStart(64, '0'));
const rAndS = (r: bigint, s: bigint) => withSig(() => concatBytes([half(r), half(s)]));
const ORDER = secp256k1.Point.Fn.ORDER;

const signatures: readonly HostileCase[] = [
  ...refusals(
    'InvalidSignature',
    {
      'another key': made({ signer: OTHER_KEY }),
      'no signature': made({ signer: null }),
      zeros: withSig(() => new Uint8Array(64)),
      'a high s': withSig(async (unsigned) => highS(ORDER, await KEY.sign(unsigned))),
      'r is 0': rAndS(0n, 1n),
      's is 0': rAndS(1n, 0n),
      'r is the order': rAndS(ORDER, 1n),
      's is the order': rAndS(1n, ORDER),
      'all bits set': withSig(() => new Uint8Array(64).fill(0xff)),
      'r and s changed places': withSig(async (unsigned) => {
        const sig = await KEY.sign(unsigned);
        return concatBytes([sig.subarray(32), sig.subarray(0, 32)]);
      }),
      'over the commit without prev': withSig((unsigned) => {
        const { prev: _, ...rest } = decodeCbor(unsigned) as Record<string, unknown>;
        return KEY.sign(encodeCbor(rest) as Uint8Array<ArrayBuffer>);
      }),
      'over another rev': withSig((unsigned) =>
        KEY.sign(encodeCbor({ ...(decodeCbor(unsigned) as object), rev: BASE_REV })),
      ),
      'over the CID of the commit': withSig((unsigned) =>
        KEY.sign(new TextEncoder().encode(cidToText(decodedData(unsigned)))),
      ),
    },
    { options: ours },
  ),
  {
    name: 'a high s of P-256',
    car: withSig(async (unsigned) =>
      highS(p256.Point.Fn.ORDER, await OTHER_KEY.sign(unsigned as Uint8Array<ArrayBuffer>)),
    ),
    options: { key: OTHER_KEY.did!() },
    expect: 'InvalidSignature',
  },
  { name: 'no signature and no key', car: made({ signer: null }), expect: 'InvalidSignature' },
  { name: 'an invalid key', car: made({}), options: { key: 'did:key:zQ3shunknown' }, expect: 'UnknownKey' },
];

const decodedData = (unsigned: Uint8Array): CID => (decodeCbor(unsigned) as { data: CID }).data;

const times: readonly HostileCase[] = [
  ...refusals('WrongDid', { 'another account': fields({ did: OTHER_DID }) }),
  { name: 'not the expected account', car: made({}), options: { did: OTHER_DID }, expect: 'WrongDid' },
  ...refusals('OutdatedRev', {
    'older than the head': fields({ rev: tid(1_600_000_000_000_000) }),
    'another commit of the rev of the head': fields({ rev: BASE_REV }),
    'the rev of 1970': fields({ rev: tid(0) }),
    'version 2 without a rev': fields({ version: 2, rev: undefined }),
  }),
  ...refusals('FutureRev', {
    'six minutes ahead': async () =>
      carOf(await repositoryOf({ fields: { rev: tid((Date.now() + 6 * 60_000) * 1000) } })),
    'the end of time': fields({ rev: 'jzzzzzzzzzzzz' }),
  }),
  ...refusals('BlockNotFound', {
    'what is new since another state than the head': async () => {
      const { commit: head, nodes } = await repositoryOf({ records: posts(40, 'elsewhere') });
      return carOf({ commit: head, nodes, records: [], blocks: [head, ...nodes] });
    },
  }),
];

/** A record whose block has the form of a commit. */
export const COMMIT_AS_RECORD: Uint8Array = encodeCbor({ $type: POST, did: DID, version: 3, rev: NEW_REV, prev: null });

export const commitClasses: readonly HostileClass[] = [
  { name: 'Invalid commits', cases: forms },
  { name: 'Signatures', cases: signatures },
  { name: 'Commits of another account or time', cases: times },
];
