/**
 * SHA-256 of many short messages at once, four side by side in SIMD WebAssembly (`assembly/sha256.ts`): 200,000 blocks
 * of 120 to 520 bytes took a seventh of the time of JavaScript, and two thirds of that of one native call a block.
 */
import type { Bytes } from '../../core/data/bytes.ts';
import type { HashAll, Message } from '../../core/data/sha256.ts';
import { DIGEST_LENGTH, hashAll as hashOneByOne } from '../../core/data/sha256.ts';
import { SHA256_WASM } from './sha256-wasm.ts';

/** Messages in one call; more are several calls. */
const MAX_JOBS = 4096;
/**
 * Bytes of messages in one call, where there are several: as much as stays in the processor's cache on the way from
 * here to there.
 */
const BATCH_SIZE: number = 1024 * 1024;
/** The longest message: of blocks there are none longer. */
const ARENA_SIZE: number = 2 * 1024 * 1024;
/**
 * One that takes up so much of a batch leaves three lanes idle most of the time, and the platform's own hash does not
 * wait for them.
 */
const MAX_BESIDE_PLATFORM: number = BATCH_SIZE / 8;
const WORDS_A_JOB = 2;
const BYTES_A_JOB = 8;
const PAGE_SIZE: number = 64 * 1024;

/** What the module exports. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  /** Where our part of the memory begins. */
  base(): number;
  hash(jobs: number, count: number, digests: number): void;
}

/** The module in its memory, which never grows again, so that views of it last. */
interface Lanes {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly jobs: number;
  readonly digests: number;
  readonly arena: number;
  hash(jobs: number, count: number, digests: number): void;
}

const decodeBase64 = (text: string): Bytes => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/**
 * Compiles 1.8 kB, which takes under a millisecond; `undefined` where there is no SIMD, or WebAssembly is not allowed.
 */
const loadLanes = (): Lanes | undefined => {
  const code = decodeBase64(SHA256_WASM);
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(code)) {
    return undefined;
  }
  let instance: WebAssembly.Instance;
  try {
    instance = new WebAssembly.Instance(new WebAssembly.Module(code));
  } catch {
    // A page whose policy forbids WebAssembly: hashing goes on without it.
    return undefined;
  }
  const { memory, base, hash } = instance.exports as unknown as Exports;
  const jobs = Math.ceil(base() / BYTES_A_JOB) * BYTES_A_JOB;
  const digests = jobs + MAX_JOBS * BYTES_A_JOB;
  const arena = digests + MAX_JOBS * DIGEST_LENGTH;
  memory.grow(Math.ceil((arena + ARENA_SIZE - memory.buffer.byteLength) / PAGE_SIZE));
  return { bytes: new Uint8Array(memory.buffer), words: new Uint32Array(memory.buffer), jobs, digests, arena, hash };
};

/**
 * As many messages from `from` on as fit, one at least, and none of more than `longest` bytes; answers the first one
 * that is left.
 */
const hashSome = (
  lanes: Lanes,
  messages: readonly Message[],
  from: number,
  longest: number,
  digests: Bytes,
): number => {
  const { bytes, words, jobs, arena } = lanes;
  const end = arena + BATCH_SIZE;
  const last = Math.min(messages.length, from + MAX_JOBS);
  let next = from;
  let at = arena;
  let word = jobs / Uint32Array.BYTES_PER_ELEMENT;
  for (; next < last; next++) {
    const message = messages[next]!;
    const { length } = message;
    if (length > longest || (at + length > end && next > from)) {
      break;
    }
    if (typeof message === 'string') {
      for (let i = 0; i < length; i++) {
        bytes[at + i] = message.charCodeAt(i);
      }
    } else {
      bytes.set(message, at);
    }
    words[word] = at;
    words[word + 1] = length;
    word += WORDS_A_JOB;
    at += length;
  }
  const count = next - from;
  lanes.hash(jobs, count, lanes.digests);
  digests.set(bytes.subarray(lanes.digests, lanes.digests + count * DIGEST_LENGTH), from * DIGEST_LENGTH);
  return next;
};

/**
 * A hash of many messages by SIMD where there is some, and by `single` where there is none, for long messages (2 MiB,
 * or 128 KiB where `single` is given), and for fewer than `fewest`. Takes 1.2 MB of memory from its first use on, and
 * as much as the longest message.
 * @param single Hashes one message after the other.
 * @param fewest Against JavaScript even one lane of four wins (2 MiB in a third of the time in Firefox, in half of it
 *   in Chromium); the platform's own hash is faster for up to two (0.95 µs against 2.3 for one of 320 bytes).
 */
export const createHashAll = (single: HashAll = hashOneByOne, fewest = 1): HashAll => {
  const longest = single === hashOneByOne ? ARENA_SIZE : MAX_BESIDE_PLATFORM;
  let loaded: { readonly lanes: Lanes | undefined } | undefined;
  return (messages) => {
    if (messages.length > 0 && messages.length < fewest) {
      return single(messages);
    }
    loaded ??= { lanes: loadLanes() };
    const { lanes } = loaded;
    if (lanes === undefined) {
      return single(messages);
    }
    const digests = new Uint8Array(messages.length * DIGEST_LENGTH);
    let next = 0;
    while (next < messages.length) {
      const message = messages[next]!;
      if (message.length > longest) {
        digests.set(single([message]), next * DIGEST_LENGTH);
        next += 1;
      } else {
        next = hashSome(lanes, messages, next, longest, digests);
      }
    }
    return digests;
  };
};
