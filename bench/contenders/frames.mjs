// The minimal work to read a CAR, and @ipld/car.
import { CarReader } from '@ipld/car';
import { sha256 } from 'multiformats/hashes/sha2';

/** Yields blocks as views, and checks only their hashes. */
export function* framesOf(car) {
  let at = 0;
  let first = true;
  while (at < car.length) {
    let length = 0;
    let factor = 1;
    let byte;
    do {
      byte = car[at++];
      length += (byte & 0x7f) * factor;
      factor *= 128;
    } while (byte > 0x7f);
    if (!first) {
      yield {
        cid: car.subarray(at, at + 36),
        digest: car.subarray(at + 4, at + 36),
        bytes: car.subarray(at + 36, at + length),
      };
    }
    first = false;
    at += length;
  }
}

export const hashWithIpld = async (car) => {
  const reader = await CarReader.fromBytes(car);
  for await (const { cid, bytes } of reader.blocks()) {
    const { digest } = await sha256.digest(bytes);
    if (Buffer.compare(digest, cid.multihash.digest) !== 0) throw new Error('wrong hash');
  }
};
