// A program with the @atcute packages. They have codecs, trees and keys; the program adds the repository.
import * as CAR from '@atcute/car';
import * as CBOR from '@atcute/cbor';
import * as CID from '@atcute/cid';
import { Secp256k1PrivateKey, verifySigWithDidKey } from '@atcute/crypto';
import { MemoryBlockStore, NodeStore, NodeWalker, NodeWrangler } from '@atcute/mst';

export { CAR, CBOR, CID, MemoryBlockStore, NodeStore, NodeWalker, NodeWrangler };

/** A block store of @atcute/mst over anything with `get` and `put` by the text of a CID. */
export const storeOver = (blocks) => {
  const get = async (cid) => blocks.get(cid) ?? null;
  return {
    get,
    has: async (cid) => (await get(cid)) !== null,
    async getMany(cids) {
      const found = new Map();
      const missing = [];
      for (const cid of cids) {
        const bytes = await get(cid);
        if (bytes === null) {
          missing.push(cid);
        } else {
          found.set(cid, bytes);
        }
      }
      return { found, missing };
    },
    put: async (cid, bytes) => void blocks.put(cid, bytes),
    async putMany(map) {
      for (const [cid, bytes] of map) {
        blocks.put(cid, bytes);
      }
    },
    delete: async () => undefined,
    deleteMany: async () => undefined,
  };
};

const sameBytes = (a, b) => Buffer.compare(a, b) === 0;

/** Checks every hash, the order of the whole tree, that each record exists, and the signature. */
export const verifyWithAtcute = async (bytes, did, didKey) => {
  const reader = CAR.fromUint8Array(bytes);
  const blocks = new Map();
  for (const entry of reader) {
    const { bytes: cid } = await CID.create(entry.cid.codec, entry.bytes);
    if (!sameBytes(cid, entry.cid.bytes)) {
      throw new Error('wrong hash');
    }
    blocks.set(CID.toString(entry.cid), entry.bytes);
  }
  const commit = CBOR.decode(blocks.get(reader.roots[0].$link));
  if (commit.did !== did) {
    throw new Error('wrong did');
  }
  const { sig, ...unsigned } = commit;
  if (!(await verifySigWithDidKey(didKey, CBOR.fromBytes(sig), CBOR.encode(unsigned)))) {
    throw new Error('wrong signature');
  }
  const walker = await NodeWalker.create(new NodeStore(new MemoryBlockStore(blocks)), commit.data.$link);
  let before = '';
  let count = 0;
  for await (const [path, link] of walker.entries()) {
    if (path <= before || !blocks.has(link.$link)) {
      throw new Error('wrong tree');
    }
    before = path;
    count += 1;
  }
  return { blocks, commit, count };
};

/** One signed commit over a tree, as a block. */
export const commitWithAtcute = async ({ did, data, rev, secret }) => {
  const unsigned = { did, version: 3, data: { $link: data }, rev, prev: null };
  const sig = await secret.sign(CBOR.encode(unsigned));
  const bytes = CBOR.encode({ ...unsigned, sig: CBOR.toBytes(sig) });
  return { cid: CID.toString(await CID.create(CID.CODEC_DCBOR, bytes)), bytes };
};

export const secretOf = (hex) => Secp256k1PrivateKey.importRaw(Uint8Array.from(Buffer.from(hex, 'hex')));
