import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../../src/core/data/bytes.ts';
import type { CarOptions } from '../../../src/core/car/decoder.ts';
import { CarDecoder, MAX_BLOCK_SIZE, MAX_CAR_BLOCKS, MAX_CAR_HEADER } from '../../../src/core/car/decoder.ts';
import { encodeCbor } from '../../../src/core/data/cbor-encode.ts';
import { CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';
import { hashAll } from '../../../src/core/data/sha256.ts';
import type { Block } from '../../../src/core/blocks/block.ts';
import { encodeVarint } from '../../../src/core/data/varint.ts';
import { seeded } from '../../random/seeded.ts';
import { blockOf, cut, headerOf, readPieces, readWhole, section, sectionOf } from './raw-car.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

const one = blockOf({ name: 'one' });
const two = blockOf({ name: 'two', text: 'x'.repeat(300) });
const raw: Block = { cid: cidOf(CODEC_RAW, utf8('raw')), bytes: utf8('raw') };
const empty: Block = { cid: cidOf(CODEC_RAW, new Uint8Array(0)), bytes: new Uint8Array(0) };
const header = headerOf(one.cid);
const good = concatBytes([header, sectionOf(one), sectionOf(two)]);

/** Returns the result for some bytes. Fails if it depends on the chunk boundaries. */
const verdictOn = async (bytes: Uint8Array, options?: CarOptions): Promise<ReturnType<typeof readWhole>> => {
  const verdict = readWhole(bytes, options);
  const random = seeded(bytes.length);
  for (const pieces of [
    [bytes],
    [bytes, new Uint8Array(0)],
    cut(bytes, () => 1),
    cut(bytes, () => Math.floor(random() * 90)),
  ]) {
    expect(await readPieces(pieces, options), `${pieces.length} pieces, seed ${bytes.length}`).toEqual(verdict);
  }
  return verdict;
};

/** `one`'s bytes under other names. */
const named = (cidBytes: Uint8Array, bytes: Uint8Array = one.bytes): Uint8Array =>
  concatBytes([header, section(cidBytes, bytes), sectionOf(two)]);
const changed = (at: number, byte: number): Uint8Array => {
  const bytes = one.cid.bytes.slice();
  bytes[at] = byte;
  return bytes;
};

test('gives blocks in their order, with where their bytes begin', async () => {
  const { roots, blocks, end } = await verdictOn(good);
  expect({ roots, end }).toEqual({ roots: [one.cid.toString()], end: 'ok' });
  const first = header.length + 1 + 36;
  expect(blocks).toEqual([
    `${first} ${one.cid} ${one.bytes.length}`,
    `${first + one.bytes.length + 38} ${two.cid} ${two.bytes.length}`,
  ]);
});

describe('takes', () => {
  test.each([
    ['several roots', concatBytes([headerOf(one.cid, two.cid), sectionOf(one)]), 1],
    ['no roots', concatBytes([headerOf(), sectionOf(one)]), 1],
    ['no blocks', header, 0],
    ['64 roots', headerOf(...Array.from({ length: 64 }, () => one.cid)), 0],
    ['duplicates', concatBytes([header, sectionOf(one), sectionOf(one)]), 2],
    ['any order, and unreferenced blocks', concatBytes([header, sectionOf(two), sectionOf(raw), sectionOf(one)]), 3],
    ['a block without bytes', concatBytes([header, sectionOf(empty)]), 1],
  ])('%s', async (_, bytes, count) => {
    const { blocks, end } = await verdictOn(bytes);
    expect([blocks.length, end]).toEqual([count, 'ok']);
  });
});

describe('rejects a header that', () => {
  const link = one.cid.bytes;
  test.each([
    ['is missing', new Uint8Array(0), 'Malformed'],
    ['has length 0', hex('00'), 'Malformed'],
    ['is cut', header.subarray(0, 20), 'Malformed'],
    ['is cut inside its length', hex('ba'), 'Malformed'],
    ['announces 2 GiB', encodeVarint(2 ** 31), 'LimitExceeded'],
    ['announces 2^53 - 1', encodeVarint(2 ** 53 - 1), 'LimitExceeded'],
    ['announces 2^53', hex('8080808080808010'), 'Malformed'],
    ['announces 2^64 - 1', hex('ffffffffffffffffff01'), 'Malformed'],
    [
      'announces 2^32 more than it has',
      concatBytes([encodeVarint(2 ** 32 + header.length - 1), header.subarray(1)]),
      'LimitExceeded',
    ],
    ['has a length without an end', new Uint8Array(100).fill(0x80), 'Malformed'],
    ['has a length that is not minimal', concatBytes([hex('ba00'), header.subarray(1)]), 'Malformed'],
    ['is a list', section(encodeCbor([1])), 'Malformed'],
    ['is a link', section(hex('d82a582500'), link), 'Malformed'],
    ['has no version', section(encodeCbor({ roots: [one.cid] })), 'Malformed'],
    ['has version 3', section(encodeCbor({ roots: [one.cid], version: 3 })), 'Malformed'],
    ['has its version as text', section(encodeCbor({ roots: [one.cid], version: '1' })), 'Malformed'],
    [
      'has its version as a float',
      section(hex('a265726f6f747380'), hex('6776657273696f6efb3ff0000000000000')),
      'Malformed',
    ],
    ['has a third field', section(encodeCbor({ roots: [one.cid], version: 1, x: 1 })), 'Malformed'],
    [
      'has a field twice',
      section(hex('a365726f6f747380'), hex('6776657273696f6e01'), hex('6776657273696f6e01')),
      'Malformed',
    ],
    ['has its fields in another order', section(hex('a26776657273696f6e01'), hex('65726f6f747380')), 'Malformed'],
    ['is an indefinite map', section(hex('bf65726f6f747380'), hex('6776657273696f6e01ff')), 'Malformed'],
    ['has bytes after it', section(encodeCbor({ roots: [one.cid], version: 1 }), hex('00')), 'Malformed'],
    ['has no roots', section(encodeCbor({ version: 1 })), 'Malformed'],
    ['has null for roots', section(encodeCbor({ roots: null, version: 1 })), 'Malformed'],
    ['has a link for roots', section(encodeCbor({ roots: one.cid, version: 1 })), 'Malformed'],
    ['has a root as text', section(encodeCbor({ roots: [one.cid.toString()], version: 1 })), 'Malformed'],
    ['has 65 roots', headerOf(...Array.from({ length: 65 }, () => one.cid)), 'LimitExceeded'],
    [
      'is deep',
      section(hex('a265726f6f7473'), new Uint8Array(100_000).fill(0x81), hex('806776657273696f6e01')),
      'Malformed',
    ],
    [
      'is a web page',
      utf8('<!DOCTYPE html><html><head><title>502</title></head><body>Bad gateway</body></html>'),
      'Malformed',
    ],
    ['is an error in JSON', utf8('{"error":"RepoNotFound","message":"Could not find repo for DID"}'), 'Malformed'],
    ['is compressed', hex('1f8b0800000000000003ab562a4a2d2ec82f2a5600000000ffff0000000000000000'), 'Malformed'],
  ])('%s', async (_, bytes, code) => {
    const { roots, blocks, end } = await verdictOn(bytes);
    expect({ roots, blocks }).toEqual({ roots: undefined, blocks: [] });
    expect(end).toMatch(new RegExp(`^${code}: .*(header|size=|not a CAR)`));
  });

  test('has version 2, and the message says so', async () => {
    const pragma = hex('0aa16776657273696f6e02');
    expect((await verdictOn(concatBytes([pragma, new Uint8Array(40), good]))).end).toMatch(/^Malformed: .*version 2/);
  });
});

describe('rejects a block that', () => {
  const bad = { cid: one.cid, bytes: encodeCbor({ name: 'onE' }) };
  test.each([
    ['has length 0', concatBytes([header, hex('00'), sectionOf(two)]), 'Malformed'],
    [
      'is one byte shorter than a CID',
      concatBytes([header, section(one.cid.bytes.subarray(0, 35)), sectionOf(two)]),
      'Malformed',
    ],
    ['is cut', good.subarray(0, header.length + 40), 'Malformed'],
    ['is cut inside its CID', good.subarray(0, header.length + 9), 'Malformed'],
    ['is cut inside its length', concatBytes([header, hex('ff')]), 'Malformed'],
    [
      'announces one byte too many',
      concatBytes([header, encodeVarint(36 + one.bytes.length + 1), one.cid.bytes, one.bytes]),
      'Malformed',
    ],
    ['announces 2^32', concatBytes([header, encodeVarint(2 ** 32), sectionOf(one)]), 'LimitExceeded'],
    ['announces 2^53 - 1', concatBytes([header, encodeVarint(2 ** 53 - 1), sectionOf(one)]), 'LimitExceeded'],
    ['announces 2^63', concatBytes([header, hex('80808080808080808001'), sectionOf(one)]), 'Malformed'],
    [
      'announces 2^32 more than it has',
      concatBytes([header, encodeVarint(2 ** 32 + 36 + one.bytes.length), one.cid.bytes, one.bytes]),
      'LimitExceeded',
    ],
    ['is zeros', concatBytes([header, new Uint8Array(64)]), 'Malformed'],
    ['is another CAR', concatBytes([header, header, sectionOf(one)]), 'Malformed'],
    ['has a CIDv0', named(one.cid.bytes.subarray(2)), 'Malformed'],
    ['has a CID of version 2', named(changed(0, 2)), 'Malformed'],
    ['has its version padded', named(concatBytes([hex('8100'), one.cid.bytes.subarray(1)])), 'Malformed'],
    ['is dag-pb', named(changed(1, 0x70)), 'Malformed'],
    ['is dag-json', named(concatBytes([hex('01a902'), one.cid.bytes.subarray(2)])), 'Malformed'],
    [
      'has its data inside its CID',
      named(concatBytes([hex('01710020'), new Uint8Array(32)]), new Uint8Array(0)),
      'Malformed',
    ],
    ['is named by SHA-1', named(concatBytes([hex('01711114'), new Uint8Array(20)])), 'Malformed'],
    ['is named by SHA-512', named(concatBytes([hex('01711340'), new Uint8Array(64)])), 'Malformed'],
    ['is named by MD5', named(concatBytes([hex('0171d50110'), new Uint8Array(16)])), 'Malformed'],
    ['is named by half a digest', named(concatBytes([hex('01711210'), one.cid.bytes.subarray(4, 20)])), 'Malformed'],
    ['does not match its CID', named(one.cid.bytes, bad.bytes), 'Malformed'],
    ['is right and then wrong under one name', concatBytes([header, sectionOf(one), sectionOf(bad)]), 'Malformed'],
    ['is wrong and then right under one name', concatBytes([header, sectionOf(bad), sectionOf(one)]), 'Malformed'],
    [
      'does not match its CID and is unreferenced',
      concatBytes([header, sectionOf(one), sectionOf({ ...bad, cid: two.cid })]),
      'Malformed',
    ],
  ])('%s', async (_, bytes, code) => {
    const { roots, end } = await verdictOn(bytes);
    expect(roots).toEqual([one.cid.toString()]);
    expect(end).toMatch(new RegExp(`^${code}: .*offset=\\d+`));
  });

  test('is incomplete, wherever the CAR ends', async () => {
    const ends = new Set([header.length, header.length + sectionOf(one).length, good.length]);
    for (let length = 0; length < good.length; length++) {
      const { end } = readWhole(good.subarray(0, length));
      expect([length, end.split(':')[0]]).toEqual([length, ends.has(length) ? 'ok' : 'Malformed']);
    }
  });
});

test('the first fault in the CAR is reported, also if it is a hash mismatch before another fault', async () => {
  const wrong = { cid: one.cid, bytes: two.bytes };
  const bytes = concatBytes([header, sectionOf(two), sectionOf(wrong), hex('00')]);
  const { blocks, end } = await verdictOn(bytes);
  expect(blocks).toHaveLength(1);
  expect(end).toBe(
    `Malformed: a block of the CAR does not match its CID: get it again; offset=${header.length + sectionOf(two).length + 38}, cid=${one.cid}`,
  );
});

test('blocks before a fault are given', async () => {
  expect((await verdictOn(concatBytes([good, hex('00')]))).blocks).toHaveLength(2);
});

describe('limits', () => {
  test('have the documented values', () => {
    expect([MAX_CAR_HEADER, MAX_BLOCK_SIZE, MAX_CAR_BLOCKS]).toEqual([2 ** 20, 2 ** 21, 2 ** 24]);
  });

  test('a block of exactly 2 MiB is accepted, and one byte more is rejected before it arrives', async () => {
    const bytes = new Uint8Array(MAX_BLOCK_SIZE);
    const block = { cid: cidOf(CODEC_RAW, bytes), bytes };
    expect(readWhole(concatBytes([header, sectionOf(block)])).end).toBe('ok');
    const claim = concatBytes([header, encodeVarint(36 + MAX_BLOCK_SIZE + 1)]);
    expect((await verdictOn(claim)).end).toMatch(/^LimitExceeded: .*limit=/);
  });

  test('a header of exactly 1 MiB is accepted, and one byte more is rejected before it arrives', async () => {
    const claim = (size: number): Uint8Array => concatBytes([encodeVarint(size), new Uint8Array(10)]);
    expect((await verdictOn(claim(MAX_CAR_HEADER))).end).toMatch(/^Malformed: the CAR ends inside its header/);
    expect((await verdictOn(claim(MAX_CAR_HEADER + 1))).end).toMatch(/^LimitExceeded: /);
  });

  test('can be set', async () => {
    expect(
      (await verdictOn(good, { maxBlockSize: two.bytes.length, maxHeaderSize: header.length - 1, maxRoots: 1 })).end,
    ).toBe('ok');
    expect((await verdictOn(good, { maxBlockSize: two.bytes.length - 1 })).end).toMatch(/^LimitExceeded/);
    expect((await verdictOn(good, { maxHeaderSize: header.length - 2 })).end).toMatch(/^LimitExceeded/);
    expect((await verdictOn(good, { maxRoots: 0 })).end).toMatch(/^LimitExceeded/);
  });
});

describe('hashes', () => {
  const wrong = concatBytes([header, sectionOf({ cid: one.cid, bytes: two.bytes })]);

  test('are those of the hash that is handed in', async () => {
    expect((await verdictOn(wrong)).end).toMatch(/^Malformed/);
    expect((await verdictOn(wrong, { hashAll: () => new Uint8Array(one.cid.multihash.digest) })).end).toBe('ok');
    expect((await verdictOn(good, { hashAll: (messages) => new Uint8Array(messages.length * 32) })).end).toMatch(
      /^Malformed/,
    );
  });

  test('are checked a batch at a time, every block once', () => {
    const batches: number[] = [];
    const decoder = new CarDecoder({
      hashAll(messages) {
        batches.push(messages.length);
        return hashAll(messages);
      },
    });
    decoder.feed(concatBytes([header, ...Array.from({ length: 2500 }, () => sectionOf(one))]));
    const sizes: number[] = [];
    for (let blocks = decoder.take(); blocks.length > 0; blocks = decoder.take()) {
      sizes.push(blocks.length);
    }
    expect(sizes.reduce((sum, size) => sum + size)).toBe(2500);
    expect(Math.max(...sizes)).toBeLessThan(2500);
    expect(batches).toEqual(sizes);
  });
});

describe('memory', () => {
  test('a block inside one chunk is a view of it; a block across chunks has its own memory', () => {
    const decoder = new CarDecoder();
    const at = header.length + sectionOf(one).length + 100;
    const [head, tail] = [good.slice(0, at), good.slice(at)];
    const blocks: Uint8Array[] = [];
    for (const chunk of [head, tail]) {
      decoder.feed(chunk);
      blocks.push(decoder.take().bytesAt(0));
    }
    expect(blocks.map(({ buffer }) => buffer === head.buffer || buffer === tail.buffer)).toEqual([true, false]);
    expect(blocks[1]!.buffer.byteLength).toBe(two.bytes.length + 36);
  });

  test('a block of 2 MiB in chunks of one byte is not copied for each chunk', async () => {
    const bytes = new Uint8Array(MAX_BLOCK_SIZE);
    const car = concatBytes([header, sectionOf({ cid: cidOf(CODEC_RAW, bytes), bytes })]);
    const decoder = new CarDecoder();
    // Copying the start for every chunk would copy 2 * 10^12 bytes and time out.
    let blocks = 0;
    for (let i = 0; i < car.length; i++) {
      decoder.feed(car.subarray(i, i + 1));
      blocks += decoder.take().length;
    }
    decoder.end();
    expect(blocks).toBe(1);
  });
});

test('random damage is never more than a RepoError, and no way of cutting changes the verdict (seed 7)', async () => {
  const random = seeded(7);
  const ends = new Set<string>();
  for (let i = 0; i < 150; i++) {
    const bytes = good.slice();
    for (let n = Math.ceil(random() * 3); n > 0; n--) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    ends.add((await verdictOn(bytes)).end.split(':')[0]!);
  }
  expect([...ends]).toContain('Malformed');
});

test('a chunk that is not a Uint8Array is a TypeError', () => {
  expect(() => new CarDecoder().feed('text' as never)).toThrow(TypeError);
});
