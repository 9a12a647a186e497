/**
 * The blocks of a CAR that is being taken in. They are held in memory while they are few, so that they are checked where
 * they lie, written once and in the order of their keys, and those that belong to nothing are never written at all. Past
 * that they go into the change as they come, and only their names stay here.
 */
import type { Bytes } from '../bytes.ts';
import { equalBytes } from '../bytes.ts';
import type { CarFrame } from '../car-decoder.ts';
import type { CID, CidBytes, CidLike } from '../cid.ts';
import { bytesOfCid, CID_LENGTH, cidBytesToText, decodeCid } from '../cid.ts';
import type { CidSet } from '../cid-set.ts';
import { createCidSet } from '../cid-set.ts';
import { RepoError } from '../errors.ts';
import type { BlockChange, BlockReader } from '../store.ts';
import { keyOrder } from './staging-order.ts';

/** Bytes that are held: 100,000 records fit, with 32 MB of blocks, and a CAR of any size does not take more. */
const MAX_HELD: number = 80 * 1024 * 1024;
/** What a block takes beside its bytes, as an object with two views: a million of four bytes took 432 MB. */
const HELD_OVERHEAD = 350;
/** Blocks that are written with one call. */
const BATCH = 1024;

/** The blocks of one CAR, over those of the change that it is taken in with. Hashes were checked before. */
export class Staging implements BlockReader {
  readonly #change: BlockChange;
  readonly #cids: CidSet = createCidSet();
  /** By the number of the CID: the block while it is held, its size, and whether the change wrote it anew. */
  readonly #held: (CarFrame | undefined)[] = [];
  readonly #sizes: number[] = [];
  readonly #isNew: boolean[] = [];
  /** Blocks from this number on are held. */
  #firstHeld = 0;
  #heldBytes = 0;

  constructor(change: BlockChange) {
    this.#change = change;
  }

  /** Takes blocks in. A second one of the same CID is passed over. */
  async add(frames: readonly CarFrame[]): Promise<void> {
    for (const frame of frames) {
      if (this.#cids.add(frame.cid)) {
        this.#held.push(frame);
        this.#sizes.push(frame.bytes.length);
        this.#isNew.push(false);
        this.#heldBytes += frame.bytes.length + HELD_OVERHEAD;
      }
    }
    if (this.#heldBytes > MAX_HELD) {
      await this.#write(() => true);
    }
  }

  /** Whether a block came in, whose hash has been checked thereby. */
  has(cid: Uint8Array): boolean {
    return this.#cids.has(cid);
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
    const found: (Uint8Array | undefined)[] = cids.map((cid) => this.#held[this.#cids.indexOf(cid)]?.bytes);
    const absent = [...found.keys()].filter((i) => found[i] === undefined);
    if (absent.length > 0) {
      const stored = await this.#change.getMany(absent.map((i) => cids[i]!));
      for (const [at, i] of absent.entries()) {
        found[i] = stored[at];
      }
    }
    return found;
  }

  /**
   * Leaves in the change what is among `linked`, and nothing else of what came in. Answers how many of them were not
   * here before.
   * @param admit Is told how many bytes belong to nothing, before anything is written; what it throws comes out.
   */
  async settle(linked: CidSet, admit: (unlinkedBytes: number) => void): Promise<number> {
    const isLinked: boolean[] = [];
    const remove: CID[] = [];
    let added = 0;
    let unlinkedBytes = 0;
    for (const cid of this.#cids) {
      const number = isLinked.length;
      const belongs = linked.has(cid);
      isLinked.push(belongs);
      unlinkedBytes += belongs ? 0 : this.#sizes[number]! + CID_LENGTH;
      added += belongs && this.#isNew[number] === true ? 1 : 0;
      if (!belongs && this.#isNew[number] === true) {
        remove.push(decodeCid(cid.slice()));
      }
    }
    admit(unlinkedBytes);
    await this.#change.remove(remove);
    return added + (await this.#write((number) => isLinked[number]!));
  }

  /** Writes what is held and wanted, in the order of the keys, and lets go of it all. Answers how many were new. */
  async #write(isWanted: (number: number) => boolean): Promise<number> {
    const numbers: number[] = [];
    for (let number = this.#firstHeld; number < this.#held.length; number++) {
      if (isWanted(number)) {
        numbers.push(number);
      }
    }
    const order = keyOrder(numbers.map((number) => this.#held[number]!.cid));
    let added = 0;
    for (let at = 0; at < order.length; at += BATCH) {
      const part = Array.from(order.subarray(at, at + BATCH), (i) => numbers[i]!);
      const blocks = part.map((number) => this.#held[number]!);
      const isNew = await this.#change.put(blocks);
      for (const [i, number] of part.entries()) {
        this.#isNew[number] = isNew[i]!;
        added += isNew[i] === true ? 1 : 0;
      }
      await this.#assertSame(blocks.filter((_, i) => isNew[i] === false));
    }
    this.#held.fill(undefined, this.#firstHeld);
    this.#firstHeld = this.#held.length;
    this.#heldBytes = 0;
    return added;
  }

  /** What was there already stays, so it has to be what its CID says: it was hashed whenever it came, and not since. */
  async #assertSame(blocks: readonly CarFrame[]): Promise<void> {
    if (blocks.length === 0) {
      return;
    }
    const stored = await this.#change.getMany(blocks.map(({ cid }) => cid));
    const wrong = blocks.find(({ bytes }, i) => stored[i] === undefined || !equalBytes(stored[i], bytes));
    if (wrong !== undefined) {
      throw new RepoError('Corrupt', `the stored bytes are not those that the CID names; cid=${cidBytesToText(wrong.cid)}`);
    }
  }
}
