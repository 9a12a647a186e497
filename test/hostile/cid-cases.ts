/** Blocks with wrong CIDs, and CIDs of kinds that repositories do not use. */
import { concatBytes } from '../../src/core/data/bytes.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import type { CidBytes } from '../../src/core/data/cid.ts';
import { CODEC_RAW, cidOf } from '../../src/core/data/cid.ts';
import type { Block } from '../../src/core/blocks/block.ts';
import { headerOf, section, sectionOf } from '../core/car/raw-car.ts';
import { hex, writeShape } from '../core/mst/raw-node.ts';
import { POST } from '../../src/testing/repo/harness.ts';
import { blockOfBytes, carOf, carOfBlocks, posts, repositoryOf } from './build-repository.ts';
import type { HostileCase, HostileClass } from './hostile-case.ts';
import { refusals } from './hostile-case.ts';

const whole = await repositoryOf();
const header = headerOf(whole.commit.cid);
const [record] = whole.records;
const forged: Block = { cid: record!.cid, bytes: encodeCbor({ $type: POST, text: 'forged' }) };
const unlinked = blockOfBytes(encodeCbor({ $type: POST, text: 'nobody refers to this' }));

const blocks =
  (...list: readonly Block[]) =>
  (): Uint8Array =>
    concatBytes([header, ...list.map(sectionOf)]);
/** The CAR with one more block, whose CID has any form. */
const named = (name: Uint8Array) => (): Uint8Array =>
  concatBytes([header, section(name, record!.bytes), ...whole.blocks.map(sectionOf)]);
const digest = record!.cid.multihash.digest;
const prefixed = (prefix: string, bytes: Uint8Array = digest) => named(concatBytes([hex(prefix), bytes]));
/** Replaces every link to `from` by a link to `to`, and signs the commit. */
const rawOf = ({ bytes }: Block): CidBytes => cidOf(CODEC_RAW, bytes).bytes as CidBytes;

const flipped =
  (index: number): HostileCase['car'] =>
  () => {
    const list = whole.blocks.map((block, i) =>
      i === index ? { cid: block.cid, bytes: block.bytes.map((byte, at) => (at === 3 ? byte ^ 0x40 : byte)) } : block,
    );
    return concatBytes([header, ...list.map(sectionOf)]);
  };

const hashes: readonly HostileCase[] = refusals(
  'Malformed',
  {
    'a forged record': blocks(...whole.blocks.map((block) => (block === record ? forged : block))),
    'a forged record before the right one': blocks(forged, ...whole.blocks),
    'a forged record after the right one': blocks(...whole.blocks, forged),
    'a forged block that nothing refers to': blocks(...whole.blocks, { cid: unlinked.cid, bytes: forged.bytes }),
    'a block whose bytes were cut, with a true length': blocks(...whole.blocks, {
      cid: record!.cid,
      bytes: record!.bytes.subarray(1),
    }),
    ...Object.fromEntries(whole.blocks.map((_, i) => [`a flipped bit in block ${i}`, flipped(i)])),
  },
  { message: /does not match its CID/ },
);

const forms: readonly HostileCase[] = [
  ...refusals('Malformed', {
    'version 0': prefixed('1220'),
    'version 2': prefixed('02711220'),
    'version 1 in two bytes': prefixed('8100711220'),
    'a codec in two bytes': prefixed('01f1001220'),
    'the bytes inside the name': named(
      concatBytes([hex('017100'), Uint8Array.of(record!.bytes.length), record!.bytes]),
    ),
    'the bytes inside a name of the right length': prefixed('01710020'),
    'SHA-1': prefixed('01711114', digest.subarray(0, 20)),
    MD5: prefixed('0171d50110', digest.subarray(0, 16)),
    'SHA-512': prefixed('01711340', concatBytes([digest, digest])),
    'SHA-256 twice over': prefixed('01715620'),
    BLAKE3: prefixed('01711e20'),
    'a digest cut to 20 bytes': prefixed('01711214', digest.subarray(0, 20)),
    'a digest of 31 bytes': prefixed('0171121f', digest.subarray(0, 31)),
    'dag-pb': prefixed('01701220'),
    JSON: prefixed('0180041220'),
    'dag-json': prefixed('01a9021220'),
    'the text of a CID': named(new TextEncoder().encode(record!.cid.toString())),
  }),
  ...refusals(
    'Malformed',
    {
      'a commit with raw data': async () =>
        carOf(await repositoryOf({ fields: { data: cidOf(CODEC_RAW, whole.nodes[0]!.bytes) } })),
      'a commit with a raw prev': async () =>
        carOf(await repositoryOf({ fields: { prev: cidOf(CODEC_RAW, whole.commit.bytes) } })),
      'a raw child in the tree': async () => {
        const records = posts(1);
        const values = [records[0]![1].cid.bytes as CidBytes];
        return carOf(
          await repositoryOf({
            records,
            tree: (onNode) =>
              writeShape({ keys: [records[0]![0]], values, children: [rawOf(whole.nodes[0]!), undefined] }, onNode),
          }),
        );
      },
    },
    { message: /link/ },
  ),
];

const asRaw = ({ bytes }: Block): Block => ({ cid: cidOf(CODEC_RAW, bytes), bytes });
const rawCommit = asRaw(whole.commit);
/** A sound record under a raw CID, beside the same record under its own CID. */
const withRawRecord = async (): Promise<Uint8Array> =>
  carOf(
    await repositoryOf({
      records: [
        [`${POST}/a`, record!],
        [`${POST}/raw`, asRaw(record!)],
      ],
    }),
  );

const rawNames: readonly HostileCase[] = [
  ...refusals(
    'Malformed',
    {
      'a raw commit': () => carOfBlocks([rawCommit.cid], [rawCommit, ...whole.blocks]),
      'a raw commit without a signature': async () => {
        const unsigned = await repositoryOf({ signer: null });
        return carOfBlocks([asRaw(unsigned.commit).cid], [asRaw(unsigned.commit), ...unsigned.blocks]);
      },
    },
    { message: /raw bytes/, options: { allowUnsigned: true } },
  ),
  { name: 'a record under a raw CID', car: withRawRecord, expect: 'reported', message: /raw bytes/ },
  {
    name: "a record under a raw CID, with records: 'reject'",
    car: withRawRecord,
    options: { records: 'reject' },
    expect: 'InvalidRecord',
    message: /raw bytes/,
  },
];

export const cidClasses: readonly HostileClass[] = [
  { name: 'Blocks that do not match their CID', cases: hashes },
  { name: 'Unsupported CIDs', cases: forms },
  { name: 'Raw CIDs in place of dag-cbor', cases: rawNames },
];
