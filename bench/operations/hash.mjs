import { hash } from 'node:crypto';
import { sha256 } from '@noble/hashes/sha2.js';
import { createHashAll } from '../../dist/wasm/hash/sha256.js';
import { seeded } from '../sample-account.mjs';

const COUNT = 200_000;
const BATCH = 1024;

export const title = 'SHA-256 of 200,000 blocks of 120 to 520 bytes';
export const targets = { '@noble/hashes': { 1000: 4 }, 'crypto.hash': { 1000: 1 } };
export const sizes = [1000];

const makeBlocks = () => {
  const random = seeded(3);
  const lengths = Array.from({ length: COUNT }, () => 120 + Math.floor(random() * 400));
  const bytes = new Uint8Array(lengths.reduce((a, b) => a + b)).map((_, i) => (i * 2654435761) >>> 24);
  let at = 0;
  return lengths.map((length) => bytes.subarray(at, (at += length)));
};

export const contenders = {
  pdsdb: {
    does: 'four at a time in SIMD WebAssembly, in batches of 1024',
    skips: 'nothing',
    load: () => {
      const blocks = makeBlocks();
      const hashAll = createHashAll();
      return () => {
        for (let i = 0; i < COUNT; i += BATCH) hashAll(blocks.slice(i, i + BATCH));
      };
    },
  },
  '@noble/hashes': {
    does: 'one by one in JavaScript',
    skips: 'nothing',
    load: () => {
      const blocks = makeBlocks();
      return () => {
        for (const block of blocks) sha256(block);
      };
    },
  },
  'crypto.hash': {
    does: 'one by one, native',
    skips: 'nothing',
    load: () => {
      const blocks = makeBlocks();
      return () => {
        for (const block of blocks) hash('sha256', block, 'buffer');
      };
    },
  },
};
