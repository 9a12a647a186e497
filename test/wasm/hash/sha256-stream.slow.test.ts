import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sha256Stream } from '../../../src/wasm/hash/sha256-stream.ts';

test('counts the bits of more than 512 MiB', () => {
  const part = new Uint8Array(8 * 1024 * 1024).fill(7);
  const ours = sha256Stream();
  const theirs = createHash('sha256');
  for (let i = 0; i < 65; i++) {
    ours.update(part);
    theirs.update(part);
  }
  expect(Buffer.from(ours.digest()).toString('hex')).toBe(theirs.digest('hex'));
}, 60_000);
