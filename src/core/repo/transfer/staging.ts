/**
 * Staging of an import. Up to 40 MiB of blocks stay in memory: they are checked there, written once in key order, and
 * unreferenced blocks are never written. A larger CAR is written to the change in sorted runs, and only fingerprints of
 * its CIDs stay in memory. The later runs are shorter, because then there are many fingerprints.
 */
import type { Bytes } from '../../data/bytes.ts';
import { equalBytes } from '../../data/bytes.ts';
import type { PackedBlocks } from '../../blocks/packed-blocks.ts';
import type { CID, CidBytes, CidLike } from '../../data/cid.ts';
import { bytesOfCid, CID_LENGTH, cidBytesToText } from '../../data/cid.ts';
import { createCidSet } from '../../data/cid-set.ts';
import { isBytes } from '../../data/platform-values.ts';
import { RepoError } from '../../errors.ts';
import { ArenaBlocks } from '../../blocks/arena-blocks.ts';
import { Arena } from '../../blocks/arena.ts';
import type { BlockChange, BlockReader } from '../../storage/ports.ts';
import { isPlainRecord } from './check-records.ts';
import { keyOrder } from './staging-order.ts';

/** Most bytes in memory, for a CAR of any size. 100,000 records (33 MB of blocks) fit. */
const MAX_STAGED: number = 40 * 1024 * 1024;
/** Most bytes in memory after the first sorted run, unless the CAR is in memory anyway. */
const MAX_LATER: number = 12 * 1024 * 1024;
/** Blocks per write call: about 1 MiB. Two calls run at a time, so that a server writes while this prepares. */
const BATCH = 4096;
const FIRST_CAPACITY = 1024;

/** Flags of a block. */
const NEW = 1;
const LINKED = 2;
const PLAIN = 4;
const VISITED = 8;

/**
 * A class, not an object literal. After one batch of literals survives a collection, V8 allocates later ones in old
 * space, and their referents stay alive too. In some runs, an import of a million records took 150 MB more.
 */
class NumberedBlock {
  readonly number: number;
  readonly cid: CidBytes;
  readonly bytes: Uint8Array;

  constructor(number: number, cid: CidBytes, bytes: Uint8Array) {
    this.number = number;
    this.cid = cid;
    this.bytes = bytes;
  }
}

/** The staged blocks of one CAR, over the change of the import. Hashes were checked before. */
export class Staging implements BlockReader {
  #change: BlockChange | undefined;
  readonly #blocks: ArenaBlocks;
  /** Indexed by block number. */
  #flags: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  /** Most bytes in memory after the first sorted run. */
  readonly #maxLater: number;
  /** Nodes that were opened and are not in the CAR. */
  readonly #visited = createCidSet();

  /** @param source The source of the CAR. Its size gives the expected number of blocks. */
  constructor(source?: unknown) {
    this.#blocks = ArenaBlocks.for(source, new Arena());
    this.#maxLater = isBytes(source) ? MAX_STAGED : MAX_LATER;
  }

  /** Number of staged blocks. */
  get size(): number {
    return this.#blocks.size;
  }

  /** Whether no more blocks fit in memory. */
  get isFull(): boolean {
    return this.#blocks.bytes > (this.#hasWritten ? this.#maxLater : MAX_STAGED);
  }

  /** Gives the change, to which blocks are written. Only {@link add} works before, until {@link isFull}. */
  begin(change: BlockChange): void {
    this.#change = change;
  }

  get #into(): BlockChange {
    if (this.#change === undefined) {
      throw new TypeError('the change of the import has not begun');
    }
    return this.#change;
  }

  /** Stages blocks. Skips duplicates. */
  async add(frames: PackedBlocks): Promise<void> {
    this.#blocks.add(frames);
    if (this.#blocks.size > this.#flags.length) {
      const flags = new Uint8Array(2 * this.#blocks.size);
      flags.set(this.#flags);
      this.#flags = flags;
    }
    if (this.isFull && this.#change !== undefined) {
      await this.#writeRun(this.#maxLater);
    }
  }

  /** Call after the last block. Frees the memory of a CAR that does not fit, because the checks need memory, too. */
  async end(): Promise<void> {
    if (this.#hasWritten) {
      await this.#writeRun(0);
    }
  }

  /** Returns whether a block was staged. The hashes of staged blocks are verified. */
  has(cid: Uint8Array): boolean {
    return this.#blocks.has(cid);
  }

  /** Returns whether a block is known to be a valid record without blobs, so that it need not be read again. */
  isPlain(cid: Uint8Array): boolean {
    // While all blocks are in memory, no block has the flag. The first test saves a lookup per record.
    return this.#hasWritten && ((this.#flags[this.#blocks.indexOf(cid)] ?? 0) & PLAIN) !== 0;
  }

  /** Marks a node as opened. Returns `false` if it is already marked. */
  visit(cid: CidBytes): boolean {
    const number = this.#blocks.indexOf(cid);
    if (number < 0) {
      return this.#visited.add(cid);
    }
    const isFirst = !this.#is(number, VISITED);
    this.#flags[number]! |= VISITED;
    return isFirst;
  }

  /** Marks a block as part of the repository. Ignores blocks that were not staged. */
  link(cid: Uint8Array): void {
    const number = this.#blocks.indexOf(cid);
    if (number >= 0) {
      this.#flags[number]! |= LINKED;
    }
  }

  async get(cid: CidLike): Promise<Bytes | undefined> {
    const [bytes] = await this.getMany([cid]);
    return bytes;
  }

  async getMany(cids: readonly CidLike[]): Promise<(Bytes | undefined)[]> {
    return (await this.read(cids.map(bytesOfCid))) as (Bytes | undefined)[];
  }

  /** As `getMany`, but returns views. The caller must not change them. */
  async read(cids: readonly CidBytes[]): Promise<(Uint8Array | undefined)[]> {
    const found: (Uint8Array | undefined)[] = [];
    const absent: number[] = [];
    for (let i = 0; i < cids.length; i++) {
      const bytes = this.#blocks.find(cids[i]!);
      found.push(bytes);
      if (bytes === undefined) {
        absent.push(i);
      }
    }
    if (absent.length > 0) {
      const stored = await this.#into.getMany(absent.map((i) => cids[i]!));
      for (const [at, i] of absent.entries()) {
        found[i] = stored[at];
      }
    }
    return found;
  }

  /**
   * Writes the linked blocks to the change and removes all other staged blocks from it. Returns the number of new
   * blocks.
   * @param admit Called with the number of unreferenced bytes before anything is written. It may throw.
   */
  async flush(admit: (unlinkedBytes: number) => void): Promise<number> {
    let added = 0;
    let isAnyUnwanted = false;
    let unlinkedBytes = 0;
    for (let number = 0; number < this.#blocks.size; number++) {
      const isNew = this.#is(number, NEW);
      if (this.#is(number, LINKED)) {
        added += isNew ? 1 : 0;
        continue;
      }
      unlinkedBytes += this.#blocks.sizeAt(number) + CID_LENGTH;
      isAnyUnwanted ||= isNew;
    }
    admit(unlinkedBytes);
    if (isAnyUnwanted) {
      await this.#removeUnwanted();
    }
    return added + (await this.#write((number) => this.#is(number, LINKED), 0));
  }

  /** Removes the blocks that this import has written, and that are not linked. Their CIDs are only in the store. */
  async #removeUnwanted(): Promise<void> {
    const unwanted: CID[] = [];
    for await (const cid of this.#into.cids()) {
      const number = this.#blocks.indexOf(cid.bytes);
      if (number >= 0 && this.#is(number, NEW) && !this.#is(number, LINKED)) {
        unwanted.push(cid);
      }
    }
    await this.#into.remove(unwanted);
  }

  /** Whether blocks have left memory. */
  get #hasWritten(): boolean {
    return this.#blocks.first > 0;
  }

  #is(number: number, flag: number): boolean {
    return (this.#flags[number]! & flag) !== 0;
  }

  /**
   * Checks blocks before they leave memory. Reading a million records again at random took longer than the rest of the
   * import.
   */
  #flagPlainRecords(): void {
    for (let number = this.#blocks.first; number < this.#blocks.size; number++) {
      if (isPlainRecord(this.#blocks.bytesAt(number)!)) {
        this.#flags[number]! |= PLAIN;
      }
    }
  }

  /** Writes all blocks in memory, before it is known which ones are linked. Keeps `most` bytes of memory. */
  async #writeRun(most: number): Promise<void> {
    this.#flagPlainRecords();
    await this.#write(() => true, most);
  }

  /**
   * Writes the wanted blocks in memory in key order, then frees the memory, except for `most` bytes. Returns the number
   * of new blocks.
   */
  async #write(isWanted: (number: number) => boolean, most: number): Promise<number> {
    const { first, size } = this.#blocks;
    const numbers: number[] = [];
    let bytes = 0;
    for (let number = first; number < size; number++) {
      if (isWanted(number)) {
        numbers.push(number);
        bytes += this.#blocks.sizeAt(number);
      }
    }
    await this.#into.maintenance?.expect(bytes);
    const order = keyOrder(numbers.length, (i) => this.#blocks.cidAt(numbers[i]!));
    let added = 0;
    let before: Promise<number> | undefined;
    for (let at = 0; at < order.length; at += BATCH) {
      const blocks: NumberedBlock[] = [];
      for (let i = at; i < Math.min(at + BATCH, order.length); i++) {
        const number = numbers[order[i]!]!;
        blocks.push(new NumberedBlock(number, this.#blocks.cidAt(number), this.#blocks.bytesAt(number)!));
      }
      const putting = this.#put(blocks);
      // Awaited after the one before, which may reject first.
      putting.catch(() => undefined);
      added += (await before) ?? 0;
      before = putting;
    }
    added += (await before) ?? 0;
    this.#blocks.release(most);
    return added;
  }

  /** Writes blocks. Returns the number of new ones. */
  async #put(blocks: readonly NumberedBlock[]): Promise<number> {
    const isNew = await this.#into.put(blocks);
    let added = 0;
    for (let i = 0; i < blocks.length; i++) {
      if (isNew[i] === true) {
        this.#flags[blocks[i]!.number]! |= NEW;
        added += 1;
      }
    }
    await this.#assertSame(blocks.filter((_, i) => isNew[i] === false));
    return added;
  }

  /**
   * A block that is already stored stays, so its stored bytes must match. They were hashed only when they were written.
   */
  async #assertSame(blocks: readonly NumberedBlock[]): Promise<void> {
    if (blocks.length === 0) {
      return;
    }
    const stored = await this.#into.getMany(blocks.map(({ cid }) => cid));
    const wrong = blocks.find(({ bytes }, i) => stored[i] === undefined || !equalBytes(stored[i], bytes));
    if (wrong !== undefined) {
      throw new RepoError(
        'Corrupt',
        `the stored bytes do not match the CID: run repair, then import again; cid=${cidBytesToText(wrong.cid)}`,
      );
    }
  }
}
