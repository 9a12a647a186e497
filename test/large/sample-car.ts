/**
 * An account of any size as a CAR: posts, likes with strong refs, follows and reposts, in the shares of real accounts.
 */
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import { writeCar } from '../../src/core/car/writer.ts';
import type { Bytes } from '../../src/core/data/bytes.ts';
import type { CID, CidBytes } from '../../src/core/data/cid.ts';
import { CODEC_DAG_CBOR, cidOf, decodeCid } from '../../src/core/data/cid.ts';
import { createCommit } from '../../src/core/repo/commit.ts';
import { createTreeBuilder } from '../../src/core/mst/build.ts';
import type { Signer } from '../../src/core/crypto/signer.ts';
import type { Block } from '../../src/core/blocks/block.ts';
import { tidOf } from '../../src/core/syntax/tid.ts';
import { seeded } from '../random/seeded.ts';

export interface SampleCar {
  readonly car: Bytes;
  readonly head: CID;
  readonly data: CID;
  /** Sorted keys. */
  readonly paths: readonly string[];
}

const START = 1_650_000_000_000_000;
const WORDS =
  'the of a to in sky blue open network post people build small web today thing read write again never'.split(' ');

/** Shares in percent. */
const kindOf = (dice: number): string =>
  dice < 0.6
    ? 'app.bsky.feed.like'
    : dice < 0.82
      ? 'app.bsky.feed.post'
      : dice < 0.94
        ? 'app.bsky.graph.follow'
        : 'app.bsky.feed.repost';

const recordOf = ($type: string, n: number, random: () => number, subject: CID): Record<string, unknown> => {
  const createdAt = new Date(START / 1000 + n * 60_000).toISOString();
  if ($type === 'app.bsky.feed.post') {
    const text = Array.from(
      { length: 4 + Math.floor(random() * 36) },
      () => WORDS[Math.floor(random() * WORDS.length)],
    ).join(' ');
    return { $type, text, langs: ['en'], createdAt };
  }
  if ($type === 'app.bsky.graph.follow') {
    return {
      $type,
      subject: `did:plc:${Math.floor(random() * 1e12)
        .toString(36)
        .padStart(24, 'a')}`,
      createdAt,
    };
  }
  const uri = `at://did:plc:${Math.floor(random() * 1e12)
    .toString(36)
    .padStart(24, 'b')}/app.bsky.feed.post/${tidOf(START + n, 3)}`;
  return { $type, subject: { cid: String(subject), uri }, createdAt };
};

/** The result depends only on the seed. */
export const sampleCar = async (
  count: number,
  { did, signer, seed = 1 }: { did: string; signer?: Signer; seed?: number },
): Promise<SampleCar> => {
  const random = seeded(seed);
  const records: [path: string, block: Block][] = [];
  let subject = cidOf(CODEC_DAG_CBOR, new Uint8Array());
  for (let n = 0; n < count; n++) {
    const $type = kindOf(random());
    const bytes = encodeCbor(recordOf($type, n, random, subject));
    const cid = cidOf(CODEC_DAG_CBOR, bytes);
    subject = cid;
    records.push([`${$type}/${tidOf(START + n * 60_000_000, 7)}`, { cid, bytes }]);
  }
  records.sort(([a], [b]) => (a < b ? -1 : 1));
  const blocks: Block[] = [];
  const builder = createTreeBuilder((cid, bytes) => blocks.push({ cid: decodeCid(cid), bytes }));
  for (const [path, { cid }] of records) {
    builder.add(path, cid.bytes as CidBytes);
  }
  const data = decodeCid(builder.finish());
  const commit = await createCommit({ did, data, rev: tidOf(START + count * 60_000_000, 1) }, signer);
  // Newest first, with the commit between them, as the reference host writes it.
  const order = [...records.map(([, block]) => block), commit, ...blocks].reverse();
  return { car: writeCar(commit.cid, order), head: commit.cid, data, paths: records.map(([path]) => path) };
};
