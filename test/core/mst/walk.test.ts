import { describe, expect, test } from 'vitest';
import type { CidBytes } from '../../../src/core/data/cid.ts';
import { cidBytesToText, cidToText, decodeCid } from '../../../src/core/data/cid.ts';
import { EMPTY_NODE_BYTES, EMPTY_ROOT } from '../../../src/core/mst/node.ts';
import { createNodeReader } from '../../../src/core/mst/node-reader.ts';
import { walkPreorder } from '../../../src/core/mst/preorder.ts';
import { readNodes, subtreeAt } from '../../../src/core/mst/read-nodes.ts';
import type { Subtree } from '../../../src/core/mst/read-nodes.ts';
import type { WalkRange } from '../../../src/core/mst/walk.ts';
import { walkLeaves } from '../../../src/core/mst/walk.ts';
import { seeded } from '../../random/seeded.ts';
import { BlocksInMemory, buildTree, flatten, manyKeys, valueOf } from './blocks-in-memory.ts';

const blocks = new BlocksInMemory();
const keys = manyKeys(1200, seeded(51));
const root = buildTree(
  blocks,
  keys.map((key) => [key, valueOf(key)]),
);
const reader = createNodeReader(blocks);
const keysIn = async (range: WalkRange): Promise<string[]> =>
  (await flatten(walkLeaves(reader, root, range))).map(({ key }) => key);

const empty = new BlocksInMemory();
empty.put({ cid: EMPTY_ROOT, bytes: EMPTY_NODE_BYTES });

describe('leaves', () => {
  test('all of them, with their values, in both directions', async () => {
    const leaves = await flatten(walkLeaves(reader, root));
    expect(leaves.map(({ key }) => key)).toEqual(keys);
    expect(leaves.every(({ key, value }) => cidBytesToText(value) === cidBytesToText(valueOf(key)))).toBe(true);
    expect(await keysIn({ reverse: true })).toEqual([...keys].reverse());
  });

  test('from every key and from beside every key, in both directions', async () => {
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      const beside = `${key}0`;
      const [next] = (await walkLeaves(reader, root, { after: key }).next()).value ?? [];
      expect(next?.key).toBe(keys[i + 1]);
      const [nextBeside] = (await walkLeaves(reader, root, { after: beside }).next()).value ?? [];
      expect(nextBeside?.key).toBe(keys[i + 1]);
      const [previous] = (await walkLeaves(reader, root, { before: key, reverse: true }).next()).value ?? [];
      expect(previous?.key).toBe(keys[i - 1]);
      const [previousBeside] = (await walkLeaves(reader, root, { before: beside, reverse: true }).next()).value ?? [];
      expect(previousBeside?.key).toBe(key);
    }
    for (let i = 0; i < keys.length; i += 97) {
      expect(await keysIn({ after: keys[i]! })).toEqual(keys.slice(i + 1));
      expect(await keysIn({ before: keys[i]! })).toEqual(keys.slice(0, i));
      expect(await keysIn({ after: keys[i]!, reverse: true })).toEqual(keys.slice(i + 1).reverse());
      expect(await keysIn({ before: keys[i]!, reverse: true })).toEqual(keys.slice(0, i).reverse());
    }
  });

  test('of a distant store: the same leaves, with one read per layer', async () => {
    for (const limit of [1, 10, 100, 1000, undefined]) {
      let reads = 0;
      const distant = createNodeReader({
        isDistant: true,
        get: (cid) => blocks.get(cid),
        getMany(cids) {
          reads += 1;
          return blocks.getMany(cids);
        },
      });
      for (const range of [{}, { reverse: true }, { after: keys[700] }, { before: keys[500], reverse: true }]) {
        const walk = walkLeaves(distant, root, { ...range, limit });
        const found: string[] = [];
        for await (const batch of walk) {
          found.push(...batch.map(({ key }) => key));
          if (found.length >= (limit ?? Infinity)) {
            break;
          }
        }
        const expected = await keysIn(range);
        expect(found.slice(0, limit)).toEqual(expected.slice(0, limit));
      }
      const before = reads;
      distant.clear();
      await walkLeaves(distant, root, { limit }).next();
      expect(reads - before).toBeLessThanOrEqual((await distant.node(root.bytes as CidBytes)).layer + 1);
    }
  });

  test('between two keys, with a prefix and without (seed 52)', async () => {
    const random = seeded(52);
    const pick = (): string | undefined => {
      const key = keys[Math.floor(random() * keys.length)]!;
      return random() < 0.2 ? undefined : random() < 0.5 ? key : `${key.slice(0, Math.floor(random() * key.length))}~`;
    };
    for (let round = 0; round < 150; round++) {
      const range = {
        after: pick(),
        before: pick(),
        prefix: [undefined, '', 'app.bsky.feed.post/', 'app.bsky.feed.post', 'app.bsky.feed.post/3k4', 'b/', '~'][
          round % 7
        ],
      };
      const expected = keys.filter(
        (key) =>
          (range.after === undefined || key > range.after) &&
          (range.before === undefined || key < range.before) &&
          key.startsWith(range.prefix ?? ''),
      );
      expect(await keysIn(range), JSON.stringify(range)).toEqual(expected);
      expect(await keysIn({ ...range, reverse: true })).toEqual(expected.reverse());
    }
  });

  test('a collection does not list one whose name it is a prefix of', async () => {
    const posts = await keysIn({ prefix: 'app.bsky.feed.post/' });
    expect(posts.length).toBeGreaterThan(100);
    expect(posts.every((key) => key.split('/')[0] === 'app.bsky.feed.post')).toBe(true);
  });

  test('a key as a prefix is in its own range', async () => {
    expect(await keysIn({ prefix: keys[5]! })).toEqual([keys[5]]);
  });

  test('none', async () => {
    expect(await flatten(walkLeaves(createNodeReader(empty), EMPTY_ROOT))).toEqual([]);
    expect(await keysIn({ prefix: 'zzz/' })).toEqual([]);
    expect(await keysIn({ after: keys.at(-1)! })).toEqual([]);
    expect(await keysIn({ after: keys[9]!, before: keys[9]! })).toEqual([]);
  });
});

describe('reads', () => {
  const many = manyKeys(20_000, seeded(53));
  const large = new BlocksInMemory();
  const largeRoot = buildTree(
    large,
    many.map((key) => [key, valueOf('one')]),
  );
  const walk = async (
    range: WalkRange,
    batches: number,
  ): Promise<{ leaves: number; read: number; requests: number }> => {
    large.read = 0;
    large.requests = 0;
    let leaves = 0;
    const steps = walkLeaves(createNodeReader(large), largeRoot, range);
    for (let i = 0; i < batches; i++) {
      leaves += (await steps.next()).value?.length ?? 0;
    }
    await steps.return(undefined);
    return { leaves, read: large.read, requests: large.requests };
  };

  test('little for a first batch', async () => {
    for (const range of [{}, { reverse: true }, { after: many[9876] }, { before: many[9876], reverse: true }]) {
      const { leaves, read } = await walk(range, 1);
      expect(leaves).toBe(32);
      expect(read).toBeLessThan(60);
    }
  });

  test('each node once, and many with one request', async () => {
    const { leaves, read, requests } = await walk({}, 1000);
    expect(leaves).toBe(20_000);
    expect(read).toBe(large.blocks.size);
    expect(requests).toBeLessThan(400);
  });

  test('only the nodes of a range', async () => {
    const { leaves, read } = await walk({ after: many[10_000], before: many[10_021] }, 2);
    expect(leaves).toBe(20);
    expect(read).toBeLessThan(40);
  });

  test('reads nothing before the first next', () => {
    large.read = 0;
    walkLeaves(createNodeReader(large), largeRoot);
    expect(large.read).toBe(0);
  });
});

describe('preorder', () => {
  /** The order of the specification, implemented simply. */
  const expected = async (place: Subtree): Promise<string[]> => {
    const [block] = await readNodes(blocks, [place]);
    const { cid, node } = block!;
    const names = [cidToText(cid)];
    for (let i = 0; i < node.children.length; i++) {
      const child = subtreeAt(node, i);
      names.push(
        ...(child === undefined ? [] : await expected(child)),
        ...(i < node.keys.length ? [node.keys[i]!] : []),
      );
    }
    return names;
  };

  test('a node, then for each key the subtree to its left and its record', async () => {
    const steps = await flatten(walkPreorder(blocks, root));
    const names = steps.map((step) => ('bytes' in step ? cidToText(step.cid) : step.key));
    expect(names).toEqual(await expected({ subtree: root.bytes as CidBytes, layer: undefined }));
    for (const step of steps) {
      if ('bytes' in step) {
        expect(step.bytes).toBe(blocks.blocks.get(cidToText(step.cid)));
      } else {
        expect(cidBytesToText(step.value)).toBe(cidBytesToText(valueOf(step.key)));
      }
    }
  });

  test('of an empty tree is its node', async () => {
    const [step, ...more] = await flatten(walkPreorder(empty, EMPTY_ROOT));
    expect(step).toMatchObject({ bytes: EMPTY_NODE_BYTES });
    expect(more).toEqual([]);
  });
});

test('a missing node ends a walk with an error that names it, after the leaves before it', async () => {
  const holes = new BlocksInMemory();
  for (const [text, bytes] of blocks.blocks) {
    holes.blocks.set(text, bytes);
  }
  const top = await createNodeReader(holes).node(root.bytes as CidBytes);
  const gone = decodeCid(top.children.findLast((child) => child !== undefined)!.cid!);
  holes.blocks.delete(cidToText(gone));
  const found: string[] = [];
  const walk = async (): Promise<void> => {
    for await (const batch of walkLeaves(createNodeReader(holes), root)) {
      found.push(...batch.map(({ key }) => key));
    }
  };
  await expect(walk()).rejects.toMatchObject({
    code: 'BlockNotFound',
    message: expect.stringContaining(cidToText(gone)),
  });
  expect(found).toEqual(keys.slice(0, found.length));
  await expect(flatten(walkPreorder(holes, root))).rejects.toMatchObject({ code: 'BlockNotFound' });
});
