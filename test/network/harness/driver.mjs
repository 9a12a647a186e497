// Random writes to a real account through @atproto/api. `records`, `at(rev)`, `head` and `blobs` are what the host must have.
import { TID } from '@atproto/common-web';

/** Returns a seeded generator, so that a failing run can be repeated. */
export const randomOf = (seed) => {
  let state = seed >>> 0;
  const next = () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0), state / 2 ** 32);
  return { next, below: (n) => Math.floor(next() * n), pick: (list) => list[Math.floor(next() * list.length)] };
};

export function createDriver(account, { seed = 1, blobs: withBlobs = true } = {}) {
  const random = randomOf(seed);
  const { agent, did } = account;
  const repo = () => agent.com.atproto.repo;
  const records = new Map(); // By path: { cid, value }.
  const blobs = new Map(); // By CID: { bytes, mimeType, ref }.
  const history = []; // For each commit: { rev, cid, changes: [[path, cid | null]] }.
  const removed = []; // [path, value] of deleted and overwritten records.
  const follows = new Map(); // Paths by subject: the server removes duplicates.
  const words = 'the quick brown fox jumps over a lazy dog while repos replicate'.split(' ');
  const text = (n) => Array.from({ length: n }, () => random.pick(words)).join(' ');
  const now = () => new Date().toISOString();
  const rkeys = () =>
    random.pick([() => TID.nextStr(), () => `k${random.below(40)}`, () => `a:${random.below(9)}~_.-`])();
  const fresh = (rkey = rkeys()) => (records.has(`com.example.note/${rkey}`) ? fresh() : rkey);
  const note = async (size = 6) => ({
    $type: 'com.example.note',
    text: text(size),
    n: random.below(2 ** 31) - 2 ** 30,
    createdAt: now(),
    nested: { tags: [text(1), null, true] },
    ...(withBlobs && random.next() < 0.25 && { file: await blob() }),
  });
  // The server deletes a blob with the last record that mentions it, so it is uploaded again before its next use.
  const upload = async (cid) =>
    void (await repo().uploadBlob(blobs.get(cid).bytes, { encoding: blobs.get(cid).mimeType }));
  const blob = async () => {
    if (blobs.size > 0 && random.next() < 0.3) {
      const [cid, { ref }] = random.pick([...blobs]);
      await upload(cid);
      return ref;
    }
    const bytes = Uint8Array.from({ length: 1 + random.below(20_000) }, () => random.below(256));
    const mimeType = random.pick(['image/png', 'application/octet-stream', 'text/plain']);
    const { data } = await repo().uploadBlob(bytes, { encoding: mimeType });
    blobs.set(data.blob.ref.toString(), { bytes, mimeType: data.blob.mimeType, ref: data.blob });
    return data.blob;
  };
  const landed = (commit, changes) => {
    for (const [path, cid, value] of changes) {
      const old = records.get(path);
      if (old) removed.push([path, old.value]);
      if (cid === null) records.delete(path);
      else records.set(path, { cid, value });
    }
    if (commit) history.push({ rev: commit.rev, cid: commit.cid, changes: changes.map(([path, cid]) => [path, cid]) });
  };
  const split = (path) => ({ collection: path.slice(0, path.indexOf('/')), rkey: path.slice(path.indexOf('/') + 1) });
  const some = () => random.pick([...records.keys()].filter((path) => path.startsWith('com.example.')));
  const create = async (collection, rkey, record) => {
    const { data } = await repo().createRecord({ repo: did, collection, rkey, record });
    landed(data.commit, [[data.uri.slice(`at://${did}/`.length), data.cid, record]]);
  };
  const put = async (path, record) => {
    const { data } = await repo().putRecord({ repo: did, ...split(path), record });
    landed(data.commit, data.commit ? [[path, data.cid, record]] : []);
  };
  const moves = {
    create: async () => create('com.example.note', fresh(), await note()),
    post: () =>
      create('app.bsky.feed.post', undefined, { $type: 'app.bsky.feed.post', text: text(8), createdAt: now() }),
    large: async () => create('com.example.note', fresh(), await note(8000)),
    put: async () =>
      put(records.size && random.next() < 0.7 && some() ? some() : `com.example.note/${fresh()}`, await note()),
    putSame: async () => {
      const path = some();
      if (path) await put(path, records.get(path).value);
    },
    profile: async () => put('app.bsky.actor.profile/self', { $type: 'app.bsky.actor.profile', displayName: text(2) }),
    delete: async () => {
      const path = some() ?? 'com.example.note/none';
      const { data } = await repo().deleteRecord({ repo: did, ...split(path) });
      landed(data.commit, data.commit ? [[path, null]] : []);
    },
    deleteMissing: async () =>
      void (await repo().deleteRecord({ repo: did, collection: 'com.example.note', rkey: 'never-there' })),
    bringBack: async () => {
      // The same bytes at the same path: their block has an older rev.
      const [path, value] =
        random.pick(removed.filter(([gone]) => !records.has(gone) && gone.startsWith('com.example.'))) ?? [];
      if (value?.file) await upload(value.file.ref.toString());
      if (path) await create(split(path).collection, split(path).rkey, value);
    },
    twin: async () => {
      const path = some();
      if (path) await create('com.example.note', fresh(), records.get(path).value);
    }, // Two paths with one CID.
    follow: async () => {
      // The server deletes an older follow of the same subject in the same commit.
      const subject = `did:plc:${'abcdefgh'[random.below(4)].repeat(24)}`;
      const record = { $type: 'app.bsky.graph.follow', subject, createdAt: now() };
      const { data } = await repo().createRecord({ repo: did, collection: record.$type, record });
      const path = data.uri.slice(`at://${did}/`.length);
      landed(data.commit, [...(follows.has(subject) ? [[follows.get(subject), null]] : []), [path, data.cid, record]]);
      follows.set(subject, path);
    },
    batch: async (size = random.pick([1, 3, 10, 30])) => {
      const used = new Set();
      const writes = [];
      while (writes.length < size) {
        const path = records.size > 5 && random.next() < 0.5 ? some() : undefined;
        if (path && used.has(path)) continue;
        const { collection, rkey } = path ? split(path) : { collection: 'com.example.note', rkey: fresh() };
        if (used.has(`${collection}/${rkey}`)) continue;
        used.add(`${collection}/${rkey}`);
        const kind = path ? random.pick(['update', 'delete']) : 'create';
        const value = kind === 'delete' ? undefined : await note();
        writes.push({ $type: `com.atproto.repo.applyWrites#${kind}`, collection, rkey, ...(value && { value }) });
      }
      const { data } = await repo().applyWrites({ repo: did, writes });
      landed(
        data.commit,
        writes.map(({ collection, rkey, value }, i) => [`${collection}/${rkey}`, data.results[i].cid ?? null, value]),
      );
    },
    emptyCommit: async () => landed((await repo().applyWrites({ repo: did, writes: [] })).data.commit, []),
    unusedBlob: async () => {
      if (withBlobs) await blob();
    },
  };
  const weights = {
    create: 10,
    post: 4,
    large: 1,
    put: 8,
    putSame: 1,
    profile: 1,
    delete: 5,
    deleteMissing: 1,
    bringBack: 4,
    twin: 3,
    follow: 3,
    batch: 5,
    emptyCommit: 1,
    unusedBlob: 1,
  };
  const bag = Object.entries(weights).flatMap(([move, weight]) => Array(weight).fill(move));
  const driver = {
    did,
    records,
    blobs,
    history,
    moves,
    /** Makes one move, at random unless it is named, and returns its name. */
    async step(move = random.pick(bag), ...more) {
      await moves[move](...more);
      return move;
    },
    async run(count) {
      for (let i = 0; i < count; i++) await driver.step();
      return driver;
    },
    /** Returns the CIDs by path, as they were at a rev. */
    at(rev = '~') {
      const then = new Map();
      for (const commit of history)
        if (commit.rev <= rev)
          for (const [path, cid] of commit.changes) cid === null ? then.delete(path) : then.set(path, cid);
      return then;
    },
    get head() {
      return history.at(-1);
    },
  };
  return driver;
}
