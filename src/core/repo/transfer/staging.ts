/**
 * The blocks of a CAR that is being taken in. They are held in memory while they are few, so that they are checked
 * where they lie, written once and in the order of their keys, and those that belong to nothing are never written at
 * all. Past that they go into the change in pieces, each in the order of its keys, and only their names stay here.
 */
import type { Bytes } from '../../data/bytes.ts';
import { equalBytes } from '../../data/bytes.ts';
import type { PackedBlocks } from '../../blocks/packed-blocks.ts';
import type { CID, CidBytes, CidLike } from '../../data/cid.ts';
import { bytesOfCid, CID_LENGTH, cidBytesToText, decodeCid } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import { ArenaBlocks } from '../../blocks/arena-blocks.ts';
import { Arena } from '../../blocks/arena.ts';
import type { BlockChange, BlockReader } from '../../storage/ports.ts';
import { isPlainRecord } from './check-records.ts';
import { keyOrder } from './staging-order.ts';

/** Bytes that are held: 100,000 records fit, with 33 MB of blocks, and a CAR of any size does not take more. */
const MAX_HELD: number = 40 * 1024 * 1024;
/** Blocks that are written with one call. */
const BATCH = 1024;
const FIRST_CAPACITY = 1024;

/** What is known of a block. */
const NEW = 1;
const LINKED = 2;
const PLAIN = 4;

/**
 * A class, and no literal: once a batch of those has outlived a collection, V8 makes all later ones where it looks
 * seldom, and what they refer to stays with them. In some runs an import of a million records grew by 150 MB more while
 * it read.
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

/** The blocks of one CAR, over those of the change that it is taken in with. Hashes were checked before. */
export class Staging implements BlockReader {
  readonly #change: BlockChange;
  readonly #blocks: ArenaBlocks;
  /** By the number of the block. */
  #flags: Uint8Array = new Uint8Array(FIRST_CAPACITY);

  /** @param source What the blocks are going to come from, by whose size the table of their names is made. */
  constructor(change: BlockChange, source?: unknown) {
    this.#change = change;
    this.#blocks = ArenaBlocks.for(source, new Arena());
  }

  /** Takes blocks in. A second one of the same CID is passed over. */
  async add(frames: PackedBlocks): Promise<void> {
    this.#blocks.add(frames);
    if (this.#blocks.size > this.#flags.length) {
      const flags = new Uint8Array(2 * this.#blocks.size);
      flags.set(this.#flags);
      this.#flags = flags;
    }
    if (this.#blocks.bytes > MAX_HELD) {
      this.#notePlainRecords();
      await this.#write(() => true);
    }
  }

  /** Whether a block came in, whose hash has been checked thereby. */
  has(cid: Uint8Array): boolean {
    return this.#blocks.cids.has(cid);
  }

  /** Whether a block is known to be a sound record that mentions no blob, and need not be read for that. */
  isPlain(cid: Uint8Array): boolean {
    // Before anything has left memory, nothing is known: that saves a look-up for each record.
    return this.#blocks.first > 0 && ((this.#flags[this.#blocks.cids.indexOf(cid)] ?? 0) & PLAIN) !== 0;
  }

  /** Notes that the repository consists of this block among others. One that did not come in is passed over. */
  link(cid: Uint8Array): void {
    const number = this.#blocks.cids.indexOf(cid);
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

  /** The same for blocks that are held as they are. What is answered must not be changed. */
  async read(cids: readonly CidBytes[]): Promise<(Uint8Array | undefined)[]> {
    const found: (Uint8Array | undefined)[] = [];
    const absent: number[] = [];
    for (let i = 0; i < cids.length; i++) {
      const bytes = this.#blocks.bytesAt(this.#blocks.cids.indexOf(cids[i]!));
      found.push(bytes);
      if (bytes === undefined) {
        absent.push(i);
      }
    }
    if (absent.length > 0) {
      const stored = await this.#change.getMany(absent.map((i) => cids[i]!));
      for (const [at, i] of absent.entries()) {
        found[i] = stored[at];
      }
    }
    return found;
  }

  /**
   * Leaves in the change what was linked, and nothing else of what came in. Answers how many of them were not here
   * before.
   * @param admit Is told how many bytes belong to nothing, before anything is written; what it throws comes out.
   */
  async settle(admit: (unlinkedBytes: number) => void): Promise<number> {
    const remove: CID[] = [];
    let added = 0;
    let unlinkedBytes = 0;
    for (let number = 0; number < this.#blocks.size; number++) {
      const isNew = this.#is(number, NEW);
      if (this.#is(number, LINKED)) {
        added += isNew ? 1 : 0;
        continue;
      }
      unlinkedBytes += this.#blocks.sizeAt(number) + CID_LENGTH;
      if (isNew) {
        remove.push(decodeCid(this.#blocks.cids.at(number).slice()));
      }
    }
    admit(unlinkedBytes);
    await this.#change.remove(remove);
    return added + (await this.#write((number) => this.#is(number, LINKED)));
  }

  #is(number: number, flag: number): boolean {
    return (this.#flags[number]! & flag) !== 0;
  }

  /**
   * Looks at what is about to leave memory: reading a million records again, from pages all over, took longer than all
   * the rest.
   */
  #notePlainRecords(): void {
    for (let number = this.#blocks.first; number < this.#blocks.size; number++) {
      if (isPlainRecord(this.#blocks.bytesAt(number)!)) {
        this.#flags[number]! |= PLAIN;
      }
    }
  }

  /** Writes what is held and wanted, in the order of the keys, and lets go of it all. Answers how many were new. */
  async #write(isWanted: (number: number) => boolean): Promise<number> {
    const { cids, first, size } = this.#blocks;
    const numbers: number[] = [];
    let bytes = 0;
    for (let number = first; number < size; number++) {
      if (isWanted(number)) {
        numbers.push(number);
        bytes += this.#blocks.sizeAt(number);
      }
    }
    await this.#change.maintenance?.expect(bytes);
    const order = keyOrder(numbers.length, (i) => cids.at(numbers[i]!));
    let added = 0;
    for (let at = 0; at < order.length; at += BATCH) {
      const blocks: NumberedBlock[] = [];
      for (let i = at; i < Math.min(at + BATCH, order.length); i++) {
        const number = numbers[order[i]!]!;
        blocks.push(new NumberedBlock(number, cids.at(number), this.#blocks.bytesAt(number)!));
      }
      const isNew = await this.#change.put(blocks);
      for (let i = 0; i < blocks.length; i++) {
        if (isNew[i] === true) {
          this.#flags[blocks[i]!.number]! |= NEW;
          added += 1;
        }
      }
      await this.#assertSame(blocks.filter((_, i) => isNew[i] === false));
    }
    this.#blocks.release();
    return added;
  }

  /** What was there already stays, so it has to be what its CID says: it was hashed whenever it came, and not since. */
  async #assertSame(blocks: readonly NumberedBlock[]): Promise<void> {
    if (blocks.length === 0) {
      return;
    }
    const stored = await this.#change.getMany(blocks.map(({ cid }) => cid));
    const wrong = blocks.find(({ bytes }, i) => stored[i] === undefined || !equalBytes(stored[i], bytes));
    if (wrong !== undefined) {
      throw new RepoError(
        'Corrupt',
        `the stored bytes are not those that the CID names; cid=${cidBytesToText(wrong.cid)}`,
      );
    }
  }
}
