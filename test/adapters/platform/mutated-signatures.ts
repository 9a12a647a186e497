/** Signatures that are close to a right one, for comparing two functions that check them. */
import type { Curve } from '../../../src/core/crypto/keys.ts';
import { ecdsaOf } from '../../../src/core/crypto/keys.ts';

const HALF = 32;
const MAX = (1n << 256n) - 1n;

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

const join = (r: bigint, s: bigint): Uint8Array =>
  new Uint8Array(Buffer.from([r, s].map((n) => n.toString(16).padStart(2 * HALF, '0')).join(''), 'hex'));

/** Returns the signature, and it with other lengths, changed bits, a high s, and numbers at the ends of the ranges. */
export const mutatedSignatures = (curve: Curve, signature: Uint8Array, random: () => number): Uint8Array[] => {
  const { ORDER } = ecdsaOf(curve).Point.Fn;
  const r = numberOf(signature.subarray(0, HALF));
  const s = numberOf(signature.subarray(HALF));
  const ends = [0n, 1n, ORDER >> 1n, (ORDER >> 1n) + 1n, ORDER - 1n, ORDER, ORDER + 1n, MAX - 1n, MAX];
  const flipped = signature.slice();
  flipped[Math.floor(random() * flipped.length)]! ^= 1 << Math.floor(random() * 8);
  return [
    signature,
    flipped,
    join(r, ORDER - s),
    join(s, r),
    ...ends.flatMap((end) => [join(end, s), join(r, end), join(end, end)]),
    ...(r + ORDER <= MAX ? [join(r + ORDER, s)] : []),
    ...(s + ORDER <= MAX ? [join(r, s + ORDER)] : []),
    ...[0, 1, 32, 63].map((length) => signature.slice(0, length)),
    Uint8Array.of(...signature, 0),
    Uint8Array.of(0, ...signature),
    new Uint8Array(Buffer.from(`30440220${Buffer.from(join(r, s)).toString('hex')}`, 'hex')),
  ];
};
