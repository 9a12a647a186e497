/** CARs with an invalid frame: header, roots, lengths, and bytes before or after. */
import { concatBytes } from '../../src/core/data/bytes.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import { CODEC_DAG_CBOR, cidOf } from '../../src/core/data/cid.ts';
import { encodeVarint } from '../../src/core/data/varint.ts';
import { headerOf, section, sectionOf } from '../core/car/raw-car.ts';
import { hex } from '../core/mst/raw-node.ts';
import { blockOfBytes, carOf, carOfBlocks, posts, repositoryOf } from './build-repository.ts';
import type { Repository } from './build-repository.ts';
import type { HostileCase, HostileClass } from './hostile-case.ts';
import { refusals } from './hostile-case.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const whole = await repositoryOf();
const car = carOf(whole);
const body = concatBytes(whole.blocks.map(sectionOf));
const header = headerOf(whole.commit.cid);
const root = whole.commit.cid;
const nobody = cidOf(CODEC_DAG_CBOR, utf8('nobody'));

const withHeader =
  (...parts: readonly Uint8Array[]) =>
  (): Uint8Array =>
    concatBytes([...parts, body]);
const headerBytes = (...parts: readonly Uint8Array[]) => withHeader(section(...parts));
const headerValue = (value: unknown) => headerBytes(encodeCbor(value));
/** A declared length that may be wrong, and then blocks. */
const withLength = (length: Uint8Array) => (): Uint8Array => concatBytes([header, length, body]);
const without = ({ blocks }: Repository, index: number): Uint8Array =>
  carOfBlocks(
    [root],
    blocks.filter((_, i) => i !== index),
  );
const ROOTS = hex('65726f6f7473');
const VERSION_1 = hex('6776657273696f6e01');
const [firstNode] = whole.nodes;
const [firstRecord] = whole.records;

const headers: readonly HostileCase[] = [
  ...refusals('Malformed', {
    'nothing at all': () => new Uint8Array(),
    'a header that is cut': () => header.subarray(0, 20),
    'a header of length 0': withHeader(hex('00')),
    'a header length without an end': () => new Uint8Array(200).fill(0x80),
    'a header length that is not minimal': withHeader(
      concatBytes([Uint8Array.of(header[0]! | 0x80, 0), header.subarray(1)]),
    ),
    'a header that announces 2^53': withHeader(hex('8080808080808010')),
    'a header that announces 2^64 - 1': withHeader(hex('ffffffffffffffffff01')),
    'a header that is a list': headerValue([1]),
    'a header without a version': headerValue({ roots: [root] }),
    'version 2': headerValue({ roots: [root], version: 2 }),
    'the pragma of version 2': () => concatBytes([hex('0aa16776657273696f6e02'), new Uint8Array(40), car]),
    'the version as text': headerValue({ roots: [root], version: '1' }),
    'the version as a float': headerBytes(hex('a2'), ROOTS, hex('80'), hex('6776657273696f6efb3ff0000000000000')),
    'a field twice': headerBytes(hex('a3'), ROOTS, hex('80'), VERSION_1, VERSION_1),
    'fields in another order': headerBytes(hex('a2'), VERSION_1, ROOTS, hex('80')),
    'an indefinite map': headerBytes(hex('bf'), ROOTS, hex('80'), VERSION_1, hex('ff')),
    'bytes after the header': headerBytes(encodeCbor({ roots: [root], version: 1 }), hex('00')),
    'roots missing': headerValue({ version: 1 }),
    'roots null': headerValue({ roots: null, version: 1 }),
    'roots as text': headerValue({ roots: 'x', version: 1 }),
    'a root as text': headerValue({ roots: [root.toString()], version: 1 }),
    'no root': headerValue({ roots: [], version: 1 }),
    'a record as the root': () => carOfBlocks([firstRecord!.cid], whole.blocks),
    'a tree node as the root': () => carOfBlocks([firstNode!.cid], whole.blocks),
    'a record before the commit among the roots': () => carOfBlocks([firstRecord!.cid, root], whole.blocks),
  }),
  ...refusals('BlockNotFound', { 'a root that is not there': () => carOfBlocks([nobody], whole.blocks) }),
  ...refusals('LimitExceeded', {
    'a header that announces 2 GiB': withHeader(encodeVarint(2 ** 31)),
    'a header that announces 2^53 - 1': withHeader(encodeVarint(2 ** 53 - 1)),
    '65 roots': () =>
      carOfBlocks(
        Array.from({ length: 65 }, () => root),
        whole.blocks,
      ),
    '20,000 roots': () =>
      carOfBlocks(
        Array.from({ length: 20_000 }, () => root),
        whole.blocks,
      ),
  }),
];

const sections: readonly HostileCase[] = [
  ...refusals('Malformed', {
    'a section of length 0': withLength(hex('00')),
    'a section shorter than a CID': () => concatBytes([header, section(root.bytes.subarray(0, 35)), body]),
    'a section that is cut': () => car.subarray(0, car.length - 1),
    'a section that is cut inside its CID': () => car.subarray(0, header.length + 12),
    'a section that announces 2^53': withLength(hex('8080808080808010')),
    'a section that announces 2^62': withLength(hex('808080808080808040')),
    'a section that announces 2^63': withLength(hex('80808080808080808001')),
    'a section length that is not minimal': () => {
      const [first, ...rest] = whole.blocks;
      const length = first!.bytes.length + 36;
      const long = Uint8Array.of((length & 0x7f) | 0x80, (length >> 7) | 0x80, 0);
      return concatBytes([header, long, first!.cid.bytes, first!.bytes, ...rest.map(sectionOf)]);
    },
    'garbage at the end': () => concatBytes([car, hex('0badf00d')]),
    'zeros at the end': () => concatBytes([car, new Uint8Array(512)]),
    'a second CAR behind the first': () => concatBytes([car, car]),
    'a compressed file': () => hex('1f8b0800000000000003ab562a4a2d2ec82f2a5600000000ffff0000000000000000'),
    'a web page': () => utf8('<!DOCTYPE html><html><head><title>502</title></head><body>Bad gateway</body></html>'),
    'an error in JSON': () => utf8('{"error":"RepoNotFound","message":"Could not find repo for DID"}'),
  }),
  ...refusals('LimitExceeded', {
    'a section that announces 2^32': withLength(encodeVarint(2 ** 32)),
    'a section that announces 2^53 - 1': withLength(encodeVarint(2 ** 53 - 1)),
    'a length that is right but for 2^32': () => {
      const [first, ...rest] = whole.blocks;
      const length = encodeVarint(2 ** 32 + first!.bytes.length + 36);
      return concatBytes([header, length, first!.cid.bytes, first!.bytes, ...rest.map(sectionOf)]);
    },
    'a block of 2 MiB and a byte': () =>
      carOfBlocks([root], [...whole.blocks, blockOfBytes(new Uint8Array(2 * 1024 * 1024 + 1))]),
  }),
  {
    name: 'a CAR with more bytes than maxSize',
    car: () => car,
    options: { maxSize: car.length - 1 },
    expect: 'LimitExceeded',
    message: /CAR is too large/,
  },
  {
    name: 'a CAR with more blocks than maxBlocks',
    car: () => car,
    options: { maxBlocks: whole.blocks.length - 1 },
    expect: 'LimitExceeded',
    message: /too many blocks/,
  },
  {
    name: 'a block with more bytes than maxBlockSize',
    car: () => car,
    options: { maxBlockSize: 50 },
    expect: 'LimitExceeded',
    message: /block is too large/,
  },
  {
    name: 'more unlinked blocks than maxUnlinked',
    car: () => carOfBlocks([root], [...whole.blocks, ...posts(400, 'unlinked').map(([, block]) => block)]),
    options: { maxUnlinked: 4096 },
    expect: 'LimitExceeded',
    message: /not part of its tree/,
  },
];

/** Every block of a repository is required. The CAR ends between two blocks, or lacks a block in the middle. */
const incomplete: readonly HostileCase[] = [
  ...refusals('BlockNotFound', {
    'the commit alone': () => carOfBlocks([root], [whole.commit]),
    'no records': () => carOfBlocks([root], [whole.commit, ...whole.nodes]),
    'no nodes': () => carOfBlocks([root], [whole.commit, ...whole.records]),
    'no blocks': () => header,
    ...Object.fromEntries(whole.blocks.map((_, i) => [`without block ${i}`, () => without(whole, i)])),
    ...Object.fromEntries(
      [1, 2, 5, 10].map((cut) => [
        `cut ${cut} blocks before the end`,
        () => carOfBlocks([root], whole.blocks.slice(0, -cut)),
      ]),
    ),
  }),
];

export const carClasses: readonly HostileClass[] = [
  { name: 'CAR header and roots', cases: headers },
  { name: 'CAR sections and limits', cases: sections },
  { name: 'CAR with blocks missing', cases: incomplete },
];
