/**
 * SHA-256 of many messages, four in parallel: each vector has the same word of four messages. And of one message that
 * comes in parts: there, each vector has the same word of four chunks of the message. FIPS 180-4.
 * AssemblyScript, not TypeScript: `npm run build` compiles it into `../sha256-wasm.ts`. Its numbers are those of
 * WebAssembly.
 *
 * A lane that has finished its message starts the next one, so that messages of any lengths keep all four busy. The
 * caller owns all memory from `base` on: messages, a table of jobs, and space for the digests.
 */

/** A job is two words: the address of its message and its length in bytes. */
const JOB_SIZE: usize = 8;
const DIGEST_SIZE: usize = 32;
const CHUNK_SIZE: usize = 64;
const LANES: usize = 4;

/** The initial state: fractional parts of the square roots of the first eight primes. */
const INITIAL: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);

/** The round constants: fractional parts of the cube roots of the first 64 primes. */
const ROUNDS: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** Eight vectors: the state of the four hashes. */
const STATE: usize = memory.data(8 * 16, 16);
/** Sixty-four vectors: the message schedule of four chunks. */
const SCHEDULE: usize = memory.data(64 * 16, 16);
/** Two chunks per lane, for the end of its message and the padding. */
const TAILS: usize = memory.data(512, 16);
/**
 * Per lane: the address of the next chunk, the number of whole chunks left, the number of tail chunks left, and the
 * digest's address.
 */
const LANE_STATES: usize = memory.data(64, 16);
const LANE_SIZE: usize = 16;

/** Returns the start of the caller's memory. */
export function base(): usize {
  return __heap_base;
}

function rotate(x: v128, by: i32): v128 {
  return v128.or(i32x4.shr_u(x, by), i32x4.shl(x, 32 - by));
}

/** Returns the big-endian words at four addresses as one vector. */
function gather(a: usize, b: usize, c: usize, d: usize): v128 {
  let words = v128.load32_zero(a);
  words = v128.load_lane<u32>(b, words, 1);
  words = v128.load_lane<u32>(c, words, 2);
  words = v128.load_lane<u32>(d, words, 3);
  return i8x16.swizzle(words, i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}

/** Makes the message schedule of four chunks. */
function expand(p0: usize, p1: usize, p2: usize, p3: usize): void {
  for (let t: usize = 0; t < 16; t++) {
    v128.store(SCHEDULE + (t << 4), gather(p0 + (t << 2), p1 + (t << 2), p2 + (t << 2), p3 + (t << 2)));
  }
  for (let at: usize = SCHEDULE + 256; at < SCHEDULE + 1024; at += 16) {
    const w2 = v128.load(at - 32);
    const w15 = v128.load(at - 240);
    const s0 = v128.xor(v128.xor(rotate(w15, 7), rotate(w15, 18)), i32x4.shr_u(w15, 3));
    const s1 = v128.xor(v128.xor(rotate(w2, 17), rotate(w2, 19)), i32x4.shr_u(w2, 10));
    v128.store(at, i32x4.add(i32x4.add(v128.load(at - 256), s0), i32x4.add(v128.load(at - 112), s1)));
  }
}

/** Adds one chunk of each of the four messages to the state. */
function compress(p0: usize, p1: usize, p2: usize, p3: usize): void {
  expand(p0, p1, p2, p3);
  let a = v128.load(STATE);
  let b = v128.load(STATE, 16);
  let c = v128.load(STATE, 32);
  let d = v128.load(STATE, 48);
  let e = v128.load(STATE, 64);
  let f = v128.load(STATE, 80);
  let g = v128.load(STATE, 96);
  let h = v128.load(STATE, 112);
  for (let t: usize = 0; t < 64; t++) {
    const k = v128.load32_splat(ROUNDS + (t << 2));
    const sum1 = v128.xor(v128.xor(rotate(e, 6), rotate(e, 11)), rotate(e, 25));
    const choice = v128.bitselect(f, g, e);
    const t1 = i32x4.add(i32x4.add(i32x4.add(h, k), v128.load(SCHEDULE + (t << 4))), i32x4.add(sum1, choice));
    const sum0 = v128.xor(v128.xor(rotate(a, 2), rotate(a, 13)), rotate(a, 22));
    const majority = v128.bitselect(v128.or(b, c), v128.and(b, c), a);
    h = g;
    g = f;
    f = e;
    e = i32x4.add(d, t1);
    d = c;
    c = b;
    b = a;
    a = i32x4.add(t1, i32x4.add(sum0, majority));
  }
  v128.store(STATE, i32x4.add(a, v128.load(STATE)));
  v128.store(STATE, i32x4.add(b, v128.load(STATE, 16)), 16);
  v128.store(STATE, i32x4.add(c, v128.load(STATE, 32)), 32);
  v128.store(STATE, i32x4.add(d, v128.load(STATE, 48)), 48);
  v128.store(STATE, i32x4.add(e, v128.load(STATE, 64)), 64);
  v128.store(STATE, i32x4.add(f, v128.load(STATE, 80)), 80);
  v128.store(STATE, i32x4.add(g, v128.load(STATE, 96)), 96);
  v128.store(STATE, i32x4.add(h, v128.load(STATE, 112)), 112);
}

/** Starts a message in a lane, and prepares its tail: the bytes after the last whole chunk, and the padding. */
function start(lane: usize, job: usize, digest: usize): void {
  const message: usize = load<u32>(job);
  const length: usize = load<u32>(job, 4);
  const whole = length >> 6;
  const rest = length & 63;
  const tail = TAILS + lane * 2 * CHUNK_SIZE;
  const tailChunks: usize = rest < 56 ? 1 : 2;
  memory.fill(tail, 0, 2 * CHUNK_SIZE);
  memory.copy(tail, message + (whole << 6), rest);
  store<u8>(tail + rest, 0x80);
  store<u64>(tail + (tailChunks << 6) - 8, bswap<u64>((<u64>length) << 3));
  for (let i: usize = 0; i < 8; i++) {
    store<u32>(STATE + (i << 4) + (lane << 2), load<u32>(INITIAL + (i << 2)));
  }
  const at = LANE_STATES + lane * LANE_SIZE;
  store<usize>(at, whole > 0 ? message : tail);
  store<usize>(at, whole, 4);
  store<usize>(at, tailChunks, 8);
  store<usize>(at, digest, 12);
}

/** Moves a lane to its next chunk. Returns `false` after the last one. */
function advance(lane: usize): bool {
  const at = LANE_STATES + lane * LANE_SIZE;
  const next = load<usize>(at) + CHUNK_SIZE;
  const whole = load<usize>(at, 4);
  if (whole > 0) {
    store<usize>(at, whole - 1, 4);
    store<usize>(at, whole == 1 ? TAILS + lane * 2 * CHUNK_SIZE : next);
    return true;
  }
  const rest = load<usize>(at, 8) - 1;
  store<usize>(at, rest, 8);
  store<usize>(at, next);
  return rest > 0;
}

function writeDigest(lane: usize): void {
  const digest = load<usize>(LANE_STATES + lane * LANE_SIZE, 12);
  for (let i: usize = 0; i < 8; i++) {
    store<u32>(digest + (i << 2), bswap<u32>(load<u32>(STATE + (i << 4) + (lane << 2))));
  }
}

/** Hashes `count` messages. Writes their digests to `digests`, concatenated. */
export function hash(jobs: usize, count: usize, digests: usize): void {
  let next: usize = 0;
  /** One bit per lane that has a message. */
  let running: u32 = 0;
  for (let lane: usize = 0; lane < LANES; lane++) {
    if (next < count) {
      start(lane, jobs + next * JOB_SIZE, digests + next * DIGEST_SIZE);
      next += 1;
      running |= 1 << <u32>lane;
    } else {
      // An idle lane hashes unused memory; its result is ignored.
      store<usize>(LANE_STATES + lane * LANE_SIZE, TAILS);
    }
  }
  while (running != 0) {
    compress(
      load<usize>(LANE_STATES),
      load<usize>(LANE_STATES, LANE_SIZE),
      load<usize>(LANE_STATES, 2 * LANE_SIZE),
      load<usize>(LANE_STATES, 3 * LANE_SIZE),
    );
    for (let lane: usize = 0; lane < LANES; lane++) {
      if ((running & (1 << <u32>lane)) == 0 || advance(lane)) {
        continue;
      }
      writeDigest(lane);
      if (next < count) {
        start(lane, jobs + next * JOB_SIZE, digests + next * DIGEST_SIZE);
        next += 1;
      } else {
        running &= ~(1 << <u32>lane);
        store<usize>(LANE_STATES + lane * LANE_SIZE, TAILS);
      }
    }
  }
}

function sum1(x: u32): u32 {
  return rotr<u32>(x, 6) ^ rotr<u32>(x, 11) ^ rotr<u32>(x, 25);
}

function sum0(x: u32): u32 {
  return rotr<u32>(x, 2) ^ rotr<u32>(x, 13) ^ rotr<u32>(x, 22);
}

function choice(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z));
}

function majority(x: u32, y: u32, z: u32): u32 {
  return (x & y) ^ (z & (x ^ y));
}

/**
 * Adds `count` chunks of one message, from `at` on, to its state: eight words at `state`. Reads up to three chunks
 * more, and ignores them.
 */
export function append(state: usize, at: usize, count: usize): void {
  for (let chunk: usize = 0; chunk < count; chunk++, at += CHUNK_SIZE) {
    const lane = (chunk & 3) << 2;
    if (lane == 0) {
      // The schedule of a chunk does not depend on the state, so those of four chunks are made together.
      expand(at, at + CHUNK_SIZE, at + 2 * CHUNK_SIZE, at + 3 * CHUNK_SIZE);
    }
    let a = load<u32>(state);
    let b = load<u32>(state, 4);
    let c = load<u32>(state, 8);
    let d = load<u32>(state, 12);
    let e = load<u32>(state, 16);
    let f = load<u32>(state, 20);
    let g = load<u32>(state, 24);
    let h = load<u32>(state, 28);
    let word = SCHEDULE + lane;
    // Eight rounds at a time: the variables change their roles, and no value moves.
    for (let k = ROUNDS; k < ROUNDS + 256; k += 32, word += 128) {
      let t = h + sum1(e) + choice(e, f, g) + load<u32>(k) + load<u32>(word);
      d += t;
      h = t + sum0(a) + majority(a, b, c);
      t = g + sum1(d) + choice(d, e, f) + load<u32>(k, 4) + load<u32>(word, 16);
      c += t;
      g = t + sum0(h) + majority(h, a, b);
      t = f + sum1(c) + choice(c, d, e) + load<u32>(k, 8) + load<u32>(word, 32);
      b += t;
      f = t + sum0(g) + majority(g, h, a);
      t = e + sum1(b) + choice(b, c, d) + load<u32>(k, 12) + load<u32>(word, 48);
      a += t;
      e = t + sum0(f) + majority(f, g, h);
      t = d + sum1(a) + choice(a, b, c) + load<u32>(k, 16) + load<u32>(word, 64);
      h += t;
      d = t + sum0(e) + majority(e, f, g);
      t = c + sum1(h) + choice(h, a, b) + load<u32>(k, 20) + load<u32>(word, 80);
      g += t;
      c = t + sum0(d) + majority(d, e, f);
      t = b + sum1(g) + choice(g, h, a) + load<u32>(k, 24) + load<u32>(word, 96);
      f += t;
      b = t + sum0(c) + majority(c, d, e);
      t = a + sum1(f) + choice(f, g, h) + load<u32>(k, 28) + load<u32>(word, 112);
      e += t;
      a = t + sum0(b) + majority(b, c, d);
    }
    store<u32>(state, load<u32>(state) + a);
    store<u32>(state, load<u32>(state, 4) + b, 4);
    store<u32>(state, load<u32>(state, 8) + c, 8);
    store<u32>(state, load<u32>(state, 12) + d, 12);
    store<u32>(state, load<u32>(state, 16) + e, 16);
    store<u32>(state, load<u32>(state, 20) + f, 20);
    store<u32>(state, load<u32>(state, 24) + g, 24);
    store<u32>(state, load<u32>(state, 28) + h, 28);
  }
}
