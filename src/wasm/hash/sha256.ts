/**
 * SHA-256 of many short messages, four in parallel in SIMD WebAssembly (`assembly/sha256.ts`). For 200,000 blocks of
 * 120 to 520 bytes, it took a seventh of the time of JavaScript, and two thirds of the time of one native call per
 * block.
 */
import type { Bytes } from '../../core/data/bytes.ts';
import type { HashAll, Message } from '../../core/data/sha256.ts';
import { DIGEST_LENGTH, hashAll as hashOneByOne } from '../../core/data/sha256.ts';
import { growTo, instantiateSha256 } from './sha256-module.ts';

/** Most messages per call. */
const MAX_JOBS = 4096;
/** Most bytes of messages per call with several messages. They stay in the processor's cache. */
const BATCH_SIZE: number = 1024 * 1024;
/** The longest message. Blocks are at most this long. */
const ARENA_SIZE: number = 2 * 1024 * 1024;
/** A longer message leaves three lanes idle most of the time, so the platform's own hash is faster. */
const MAX_BESIDE_PLATFORM: number = BATCH_SIZE / 8;
const WORDS_PER_JOB = 2;
const BYTES_PER_JOB = 8;

/** The module and views of its memory, which has its final size. */
interface Lanes {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly jobs: number;
  readonly digests: number;
  readonly arena: number;
  hash(jobs: number, count: number, digests: number): void;
}

const loadLanes = (): Lanes | undefined => {
  const module = instantiateSha256();
  if (module === undefined) {
    return undefined;
  }
  const jobs = Math.ceil(module.base() / BYTES_PER_JOB) * BYTES_PER_JOB;
  const digests = jobs + MAX_JOBS * BYTES_PER_JOB;
  const arena = digests + MAX_JOBS * DIGEST_LENGTH;
  growTo(module, arena + ARENA_SIZE);
  const { memory, hash } = module;
  return { bytes: new Uint8Array(memory.buffer), words: new Uint32Array(memory.buffer), jobs, digests, arena, hash };
};

/**
 * Hashes as many messages from `from` on as fit, at least one. Stops at a message longer than `longest` bytes. Returns
 * the index of the next message.
 */
const hashBatch = (
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
    word += WORDS_PER_JOB;
    at += length;
  }
  const count = next - from;
  lanes.hash(jobs, count, lanes.digests);
  digests.set(bytes.subarray(lanes.digests, lanes.digests + count * DIGEST_LENGTH), from * DIGEST_LENGTH);
  return next;
};

/**
 * Returns a function that hashes many messages with SIMD. It uses `single` without SIMD, for fewer than `fewest`
 * messages, and for messages above 2 MiB (128 KiB if `single` is given). From its first use on, it takes 3.2 MB of
 * memory.
 * @param single Hashes messages one by one.
 * @param fewest Fewest messages for SIMD. One lane is faster than JavaScript (2 MiB: a third of the time in Firefox,
 *   half in Chromium). The platform's own hash is faster for up to two messages (320 bytes: 0.95 µs, with SIMD 2.3 µs).
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
        next = hashBatch(lanes, messages, next, longest, digests);
      }
    }
    return digests;
  };
};
