import { describe, expect, test, vi } from 'vitest';
import { equalBytes } from '../../../src/core/data/bytes.ts';
import { CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';
import { ArenaBlocks } from '../../../src/core/blocks/arena-blocks.ts';
import { Arena, LARGEST_CHUNK } from '../../../src/core/blocks/arena.ts';
import type { PackedBlocks } from '../../../src/core/blocks/packed-blocks.ts';
import type { Block } from '../../../src/core/blocks/block.ts';
import { seeded } from '../../random/seeded.ts';
import { packedOf } from './packed.ts';

const blockOf = (n: number, size: number): Block => {
  const bytes = new Uint8Array(size).fill(n);
  new DataView(bytes.buffer).setUint32(0, n);
  return { cid: cidOf(CODEC_RAW, bytes), bytes };
};

/** A chunk with bytes before and after its blocks. */
const chunkOf = (blocks: readonly Block[], before = 5, behind = 3): PackedBlocks => packedOf(blocks, before, behind);

/** Counts the chunks that are kept. */
class CountingArena extends Arena {
  readonly pieces = new Set<Uint8Array>();
  kept = 0;

  override keep(blocks: PackedBlocks): PackedBlocks {
    const kept = super.keep(blocks);
    this.kept += 1;
    this.pieces.add(kept.memory);
    return kept;
  }
}

const assertHeld = (held: ArenaBlocks, blocks: readonly Block[]): void => {
  for (const { cid, bytes } of blocks) {
    const found = held.find(cid.bytes);
    expect(found !== undefined && equalBytes(found, bytes), String(cid)).toBe(true);
    expect(equalBytes(held.cidAt(held.indexOf(cid.bytes)), cid.bytes)).toBe(true);
  }
};

describe.each([1, 2, 3])('seed %i', (seed) => {
  test('blocks of chunks of any size stay readable until release, even if the chunks change', () => {
    const random = seeded(seed);
    const held = new ArenaBlocks(0, new Arena());
    let next = 0;
    for (let round = 0; round < 3; round++) {
      const first = next;
      const blocks: Block[] = [];
      while (held.bytes < 3_000_000) {
        const some = Array.from({ length: 1 + Math.floor(random() * 20) }, () =>
          blockOf(next++, 4 + Math.floor(random() ** 4 * 300_000)),
        );
        blocks.push(...some);
        const chunk = chunkOf(some, Math.floor(random() * 50));
        held.add(chunk);
        chunk.memory.fill(0xff);
      }
      expect([held.first, held.size]).toEqual([first, next]);
      assertHeld(held, blocks);
      held.release(round === 0 ? Infinity : 1_000_000);
      expect([held.first, held.bytes, held.bytesAt(next - 1)]).toEqual([next, 0, undefined]);
      expect(held.sizeAt(next - 1)).toBe(blocks.at(-1)!.bytes.length);
    }
  });
});

test('memory that was released is used again', () => {
  const memory = new CountingArena();
  const held = new ArenaBlocks(0, memory);
  for (let n = 0; n < 400; n++) {
    held.add(chunkOf([blockOf(n, 60_000)]));
    if (n % 100 === 99) {
      assertHeld(
        held,
        Array.from({ length: 100 }, (_, i) => blockOf(n - i, 60_000)),
      );
      held.release(Infinity);
    }
  }
  const sizes = [...memory.pieces].map(({ length }) => length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(100 * 60_000 * 1.3);
});

test('released memory is freed, except for the part that is kept', () => {
  const memory = new CountingArena();
  const held = new ArenaBlocks(0, memory);
  const segments = (from: number): Uint8Array[] => {
    memory.pieces.clear();
    for (let n = from; n < from + 100; n++) {
      held.add(chunkOf([blockOf(n, 60_000)]));
    }
    return [...memory.pieces];
  };
  const first = segments(0);
  held.release(3_000_000);
  const second = segments(1000);
  const again = second.filter((piece) => first.includes(piece));
  expect(again.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(3_000_000);
  expect(again.length).toBeGreaterThan(3);
  held.release();
  expect(segments(2000).filter((piece) => second.includes(piece))).toEqual([]);
});

test('a chunk without a new block is not kept, so that an endlessly repeated block takes no memory', () => {
  const memory = new CountingArena();
  const held = new ArenaBlocks(0, memory);
  const same = chunkOf([blockOf(1, 50_000), blockOf(1, 50_000)]);
  for (let i = 0; i < 50; i++) {
    held.add(same);
  }
  expect([memory.kept, held.size]).toEqual([1, 1]);
});

test('a block is found only by its whole CID, even if another CID has the same fingerprint', () => {
  // Without factors, all fingerprints are equal.
  const random = vi.spyOn(crypto, 'getRandomValues').mockImplementation((factors) => factors);
  try {
    const held = new ArenaBlocks(0, new Arena());
    held.add(chunkOf([blockOf(1, 100)]));
    expect([held.has(blockOf(2, 100).cid.bytes), held.find(blockOf(2, 100).cid.bytes)]).toEqual([true, undefined]);
    expect(held.find(blockOf(1, 100).cid.bytes)).toEqual(blockOf(1, 100).bytes);
  } finally {
    random.mockRestore();
  }
});

test('a whole CAR in memory is not copied, and only its blocks are counted', () => {
  const held = new ArenaBlocks(0, new Arena());
  const block = blockOf(7, 1000);
  const packed = chunkOf([block], 5, LARGEST_CHUNK);
  held.add(packed);
  expect(held.bytesAt(0)!.buffer).toBe(packed.memory.buffer);
  expect(held.bytes).toBeLessThan(1100);
});
