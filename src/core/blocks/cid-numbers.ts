/**
 * Numbers for the CIDs of a CAR, in the order of their arrival. It takes 12 bytes and a slot of 5 to 11 bytes per CID,
 * because it keeps fingerprints and not the CIDs. A `CidSet` takes 36 bytes and a slot.
 *
 * A fingerprint has three remainders. Each is the sum of the 18 byte pairs of the CID, every pair times its own random
 * factor, modulo a prime. Whatever two CIDs are, they have the same remainder for about one of 2^31 choices of factors,
 * and the same fingerprint for one of 2^93. The factors are random for each table and never leave it, so nobody can
 * search for two such CIDs. A part of the digest is not enough: the author of a CAR can search for equal parts.
 */
import { CID_LENGTH } from '../data/cid.ts';
import { NumberColumns } from './number-columns.ts';

/** The largest prime below 2^32. */
const PRIME = 4294967291;
const PAIRS: number = CID_LENGTH / 2;
const WORDS = 3;

const FIRST_CAPACITY = 1024;
/** A larger expected number is not trusted. */
const MAX_EXPECTED_BITS = 20;

/** Fingerprints that are at most this part of the slots. More make long rows of used slots. */
const MAX_LOAD = 0.75;

/** Returns the remainder of a sum of products. Exact, because the sum has at most 53 bits and the quotient 21. */
const remainder = (sum: number): number => sum - Math.floor(sum / PRIME) * PRIME;

export class CidNumbers {
  /** A factor per byte pair, for each of the three remainders. */
  readonly #factors: Float64Array = Float64Array.from(
    crypto.getRandomValues(new Uint32Array(WORDS * PAIRS)),
    remainder,
  );
  readonly #fingerprints: NumberColumns = new NumberColumns(WORDS);
  /** The number plus one; 0 is a free slot. Open addressing. */
  #slots: Uint32Array;
  #size = 0;
  /** The fingerprint that {@link #read} has made. */
  #a = 0;
  #b = 0;
  #c = 0;

  /** @param expected The expected number of CIDs. */
  constructor(expected = 0) {
    const bits = Math.min(MAX_EXPECTED_BITS, Math.ceil(Math.log2(expected / MAX_LOAD + 1)));
    this.#slots = new Uint32Array(Math.max(FIRST_CAPACITY, 2 ** bits));
  }

  get size(): number {
    return this.#size;
  }

  /** Gives the CID at `at` the next number. Returns `false` if it has one. */
  add(bytes: Uint8Array, at: number): boolean {
    this.#read(bytes, at);
    let slot = this.#find();
    if (this.#slots[slot] !== 0) {
      return false;
    }
    if (this.#size >= this.#slots.length * MAX_LOAD) {
      this.#grow();
      slot = this.#find();
    }
    this.#fingerprints.set(this.#size, 0, this.#a);
    this.#fingerprints.set(this.#size, 1, this.#b);
    this.#fingerprints.set(this.#size, 2, this.#c);
    this.#size += 1;
    this.#slots[slot] = this.#size;
    return true;
  }

  /** Returns the number of a CID, or -1. */
  indexOf(cid: Uint8Array): number {
    if (cid.length !== CID_LENGTH) {
      return -1;
    }
    this.#read(cid, 0);
    return this.#slots[this.#find()]! - 1;
  }

  has(cid: Uint8Array): boolean {
    return this.indexOf(cid) >= 0;
  }

  #read(bytes: Uint8Array, at: number): void {
    const factors = this.#factors;
    let [a, b, c] = [0, 0, 0];
    for (let i = 0; i < PAIRS; i++) {
      const pair = bytes[at + 2 * i]! | (bytes[at + 2 * i + 1]! << 8);
      a += factors[i]! * pair;
      b += factors[PAIRS + i]! * pair;
      c += factors[2 * PAIRS + i]! * pair;
    }
    this.#a = remainder(a);
    this.#b = remainder(b);
    this.#c = remainder(c);
  }

  /** Returns the slot of the fingerprint, or the free slot for it. */
  #find(): number {
    const mask = this.#slots.length - 1;
    let slot = this.#a & mask;
    for (let entry = this.#slots[slot]!; entry !== 0 && !this.#isAt(entry - 1); entry = this.#slots[slot]!) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isAt(number: number): boolean {
    const fingerprints = this.#fingerprints;
    return (
      fingerprints.get(number, 0) === this.#a &&
      fingerprints.get(number, 1) === this.#b &&
      fingerprints.get(number, 2) === this.#c
    );
  }

  #grow(): void {
    const slots = new Uint32Array(2 * this.#slots.length);
    const mask = slots.length - 1;
    for (let number = 0; number < this.#size; number++) {
      let slot = this.#fingerprints.get(number, 0) & mask;
      while (slots[slot] !== 0) {
        slot = (slot + 1) & mask;
      }
      slots[slot] = number + 1;
    }
    this.#slots = slots;
  }
}
