/**
 * Changes inside a repository, with new hashes and a new signature. So the layers above accept the damage, and deep
 * code runs.
 */
import { concatBytes, equalBytes } from '../../src/core/data/bytes.ts';
import { decodeCbor } from '../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import { CID_LENGTH, cidToText } from '../../src/core/data/cid.ts';
import { isRepoError } from '../../src/core/errors.ts';
import type { Signer } from '../../src/core/crypto/signer.ts';
import type { Block } from '../../src/core/blocks/block.ts';
import { blockOfBytes } from '../hostile/build-repository.ts';
import type { Random } from './mutate-bytes.ts';
import { below, mutateBytes, pick } from './mutate-bytes.ts';

/** The blocks. The first one is the commit. */
export type Blocks = readonly Block[];

const replaceAll = (bytes: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array | undefined => {
  const parts: Uint8Array[] = [];
  let done = 0;
  for (let at = 0; at + CID_LENGTH <= bytes.length; at++) {
    // Every CID of a block begins with these bytes. Most other bytes do not.
    if (bytes[at] === 1 && bytes[at + 1] === from[1] && equalBytes(bytes.subarray(at, at + CID_LENGTH), from)) {
      parts.push(bytes.subarray(done, at), to);
      at += CID_LENGTH - 1;
      done = at + 1;
    }
  }
  return done === 0 ? undefined : concatBytes([...parts, bytes.subarray(done)]);
};

/** Signs the changed commit. If it is no longer a map, it stays unsigned. */
const signAgain = async (bytes: Uint8Array, signer: Signer): Promise<Uint8Array> => {
  try {
    const { sig: _, ...fields } = decodeCbor(bytes) as Record<string, unknown>;
    return encodeCbor({ ...fields, sig: await signer.sign(encodeCbor(fields)) });
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    return bytes;
  }
};

/** Replaces the bytes of one block, and updates the CIDs of all blocks above it. */
const substitute = async (blocks: Blocks, index: number, bytes: Uint8Array, signer: Signer): Promise<Blocks> => {
  const result = [...blocks];
  const waiting: [index: number, bytes: Uint8Array][] = [[index, bytes]];
  // A block that refers to itself would loop endlessly. No path has more blocks than this.
  for (let steps = 0; waiting.length > 0 && steps < 500; steps++) {
    const [at, content] = waiting.shift()!;
    const before = result[at]!;
    const after = blockOfBytes(at === 0 ? await signAgain(content, signer) : content);
    result[at] = after;
    for (let other = 0; other < result.length; other++) {
      const renamed = other === at ? undefined : replaceAll(result[other]!.bytes, before.cid.bytes, after.cid.bytes);
      if (renamed !== undefined) {
        waiting.push([other, renamed]);
      }
    }
  }
  return result;
};

/** Changes, removes, duplicates or exchanges some blocks, or changes their links. */
export const mutateBlocks = async (blocks: Blocks, random: Random, signer: Signer): Promise<Blocks> => {
  let result = blocks;
  const rounds = random() < 0.7 ? 1 : 1 + below(random, 4);
  for (let i = 0; i < rounds; i++) {
    const at = below(random, result.length);
    const dice = random();
    if (dice < 0.65) {
      // The first blocks are the commit and the upper nodes, which have the most structure.
      const index = random() < 0.5 ? below(random, Math.min(8, result.length)) : at;
      result = await substitute(result, index, mutateBytes(result[index]!.bytes, random), signer);
    } else if (dice < 0.75) {
      // Returns a link to another block of the repository.
      const bytes = replaceAll(result[at]!.bytes, pick(random, result).cid.bytes, pick(random, result).cid.bytes);
      result = bytes === undefined ? result : await substitute(result, at, bytes, signer);
    } else if (dice < 0.85) {
      result = await substitute(result, at, pick(random, result).bytes, signer);
    } else if (dice < 0.9) {
      result = result.length > 1 ? result.filter((_, index) => index !== at || index === 0) : result;
    } else if (dice < 0.95) {
      result = [...result, result[at]!];
    } else {
      const [first, ...rest] = result;
      result = [first!, ...rest.sort((a, b) => (cidToText(a.cid) < cidToText(b.cid) ? -1 : 1))];
    }
  }
  return result;
};
