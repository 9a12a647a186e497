// An account of any size as a CAR: likes with strong refs, posts, follows and reposts, in the shares that accounts
// have. Made with the public entry point only. Equal seeds give equal CARs.
import {
  CODEC_DAG_CBOR,
  CODEC_RAW,
  carBlock,
  carHeader,
  cidOf,
  createCommit,
  createTreeBuilder,
  decodeCid,
  encodeCbor,
  tidOf,
} from '../dist/index.js';

const START = 1_650_000_000_000_000;
/** A CID of an image that nobody has. */
const IMAGE = cidOf(CODEC_RAW, new Uint8Array());
const WORDS =
  'the of a to in sky blue open network open post people build small web today thing read write again never'.split(' ');

/** Pseudo-random numbers from 0 to 1 (mulberry32). */
export const seeded = (seed) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 0x1_0000_0000;
  };
};

const plc = (random, pad) =>
  `did:plc:${Math.floor(random() * 1e12)
    .toString(36)
    .padStart(24, pad)}`;

/** Shares in percent. */
const kindOf = (dice) =>
  dice < 0.6
    ? 'app.bsky.feed.like'
    : dice < 0.82
      ? 'app.bsky.feed.post'
      : dice < 0.94
        ? 'app.bsky.graph.follow'
        : 'app.bsky.feed.repost';

const uriOf = (n, random) => `at://${plc(random, 'b')}/app.bsky.feed.post/${tidOf(START + n, 3)}`;

/** A third of the posts are replies, a third have links or mentions, and a quarter have images, a link card or a quote. */
const postOf = (n, random, subject, createdAt) => {
  const text = Array.from(
    { length: 4 + Math.floor(random() * 36) },
    () => WORDS[Math.floor(random() * WORDS.length)],
  ).join(' ');
  const post = { $type: 'app.bsky.feed.post', text, langs: ['en'], createdAt };
  const strongRef = () => ({ cid: String(subject), uri: uriOf(n, random) });
  if (random() < 0.33) {
    post.reply = { root: strongRef(), parent: strongRef() };
  }
  if (random() < 0.33) {
    const mention = { $type: 'app.bsky.richtext.facet#mention', did: plc(random, 'c') };
    const link = {
      $type: 'app.bsky.richtext.facet#link',
      uri: `https://example.com/articles/${n}/${text.slice(0, 20)}`,
    };
    post.facets = [mention, link].slice(0, 1 + (n % 2)).map((feature, i) => ({
      index: { byteStart: i * 8, byteEnd: i * 8 + 7 },
      features: [feature],
    }));
  }
  const dice = random();
  if (dice < 0.12) {
    const image = { $type: 'blob', ref: IMAGE, mimeType: 'image/jpeg', size: 300_000 + n };
    const one = { alt: text, aspectRatio: { width: 2000, height: 1500 }, image };
    post.embed = { $type: 'app.bsky.embed.images', images: Array.from({ length: 1 + (n % 3) }, () => one) };
  } else if (dice < 0.2) {
    const external = { uri: `https://example.com/${n}`, title: text.slice(0, 60), description: `${text} ${text}` };
    post.embed = { $type: 'app.bsky.embed.external', external };
  } else if (dice < 0.25) {
    post.embed = { $type: 'app.bsky.embed.record', record: strongRef() };
  }
  return post;
};

const recordOf = ($type, n, random, subject) => {
  const createdAt = new Date(START / 1000 + n * 60_000).toISOString();
  if ($type === 'app.bsky.feed.post') {
    return postOf(n, random, subject, createdAt);
  }
  if ($type === 'app.bsky.graph.follow') {
    return { $type, subject: plc(random, 'a'), createdAt };
  }
  return {
    $type,
    subject: { cid: String(subject), uri: uriOf(n, random) },
    createdAt,
  };
};

/** Returns a record for a write that is in no sample. */
export const freshRecord = (n) => ({
  $type: 'app.bsky.feed.post',
  text: `a new post, number ${n}`,
  langs: ['en'],
  createdAt: new Date(START / 1000 + n).toISOString(),
});
export const freshKey = (n) => tidOf(START + 4e15 + n * 1000, 5);

/** Yields the chunks of the CAR. Returns the head and the paths. */
export const sampleAccount = async (count, { did, signer, seed = 1 }) => {
  const random = seeded(seed);
  const records = [];
  let subject = cidOf(CODEC_DAG_CBOR, new Uint8Array());
  for (let n = 0; n < count; n++) {
    const $type = kindOf(random());
    const bytes = encodeCbor(recordOf($type, n, random, subject));
    subject = cidOf(CODEC_DAG_CBOR, bytes);
    records.push({ path: `${$type}/${tidOf(START + n * 60_000_000, 7)}`, cid: subject, bytes });
  }
  records.sort((a, b) => (a.path < b.path ? -1 : 1));
  const nodes = [];
  const builder = createTreeBuilder((cid, bytes) => nodes.push({ cid: decodeCid(cid), bytes }));
  for (const { path, cid } of records) {
    builder.add(path, cid.bytes);
  }
  const data = decodeCid(builder.finish());
  const commit = await createCommit({ did, data, rev: tidOf(START + count * 60_000_000, 1) }, signer);
  // Newest first, with the commit in between, as the reference host writes it.
  const order = [...records, commit, ...nodes].reverse();
  function* pieces() {
    yield carHeader(commit.cid);
    for (const { cid, bytes } of order) {
      yield carBlock(cid, bytes);
    }
  }
  return { pieces, head: String(commit.cid), data: String(data), paths: records.map(({ path }) => path) };
};
