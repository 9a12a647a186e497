/**
 * Memory for the blocks of a CAR that is verified as a stream. A record is checked when it arrives, and only the first
 * bytes of a valid one are kept. Of a CAR of a million records (380 MB), this keeps the nodes of the tree.
 */
import type { BlockMemory } from '../../blocks/arena-blocks.ts';
import { PackedBlocks } from '../../blocks/packed-blocks.ts';
import { equalBytes } from '../../data/bytes.ts';
import type { CidBytes } from '../../data/cid.ts';
import { checkRecord } from '../../data/record-check.ts';
import { isRepoError } from '../../errors.ts';
import { beginsAsNode } from '../../mst/codec.ts';

/** Bytes of a valid record that are kept. They decide that it is not a node, and the message that says so. */
const HEAD_SIZE = 3;

const isRecord = (bytes: Uint8Array): boolean => {
  // Throwing an error for each node takes longer than checking all records.
  if (beginsAsNode(bytes)) {
    return false;
  }
  try {
    checkRecord(bytes);
    return true;
  } catch (error) {
    if (!isRepoError(error, 'Malformed')) {
      throw error;
    }
    return false;
  }
};

export class CheckedRecords implements BlockMemory {
  readonly hasCids = false;
  readonly #root: CidBytes | undefined;
  #valid: readonly boolean[] = [];

  /** @param root The CID of the commit, which is kept whole. */
  constructor(root: CidBytes | undefined) {
    this.#root = root;
  }

  /** For each block of the batch that was kept last: whether it is a valid record. */
  get valid(): readonly boolean[] {
    return this.#valid;
  }

  keep(blocks: PackedBlocks): PackedBlocks {
    const { length, memory, starts, ends } = blocks;
    this.#valid = starts.map((_, i) => isRecord(blocks.bytesAt(i)) && !this.#isRoot(blocks.cidAt(i)));
    const sizes = starts.map((start, i) => (this.#valid[i] === true ? HEAD_SIZE : ends[i]! - start));
    const kept = new PackedBlocks(new Uint8Array(sizes.reduce((sum, size) => sum + size, 0)));
    let at = 0;
    for (let i = 0; i < length; i++) {
      const start = starts[i]!;
      kept.memory.set(memory.subarray(start, start + sizes[i]!), at);
      kept.push(at, at + sizes[i]!);
      at += sizes[i]!;
    }
    return kept;
  }

  #isRoot(cid: CidBytes): boolean {
    return this.#root !== undefined && equalBytes(cid, this.#root);
  }

  clear(): void {
    // The blocks have the memory.
  }
}
