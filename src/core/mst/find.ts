/** Looks up keys. */
import type { CID, CidBytes } from '../data/cid.ts';
import { decodeCid } from '../data/cid.ts';
import { layerOf } from './key.ts';
import { loadPaths } from './load.ts';
import type { Link, Node } from './node.ts';
import { linkTo, lowerBound, nodeOf } from './node.ts';
import type { NodeReader } from './node-reader.ts';

/**
 * Returns the value of a key in a loaded tree, or `undefined` if the key is absent.
 * @throws {RepoError} `BlockNotFound` when a node on the path is not loaded.
 */
export const findLoaded = (root: Link, key: string): CidBytes | undefined => {
  let link: Link | undefined = root;
  while (link !== undefined) {
    const node = nodeOf(link);
    const index = lowerBound(node.keys, key);
    if (node.keys[index] === key) {
      return node.values[index];
    }
    link = node.children[index];
  }
  return undefined;
};

/**
 * Returns the value of a key in a partial tree, or `undefined` if the key is absent. A key is in a node of its own
 * layer or nowhere, so the nodes below that layer need not be loaded.
 * @param layer The layer of the key.
 * @throws {RepoError} `BlockNotFound` when a node on the way is not loaded: the tree may have the key or not.
 */
export const findAtLayer = (root: Link, key: string, layer: number = layerOf(key)): CidBytes | undefined => {
  let link: Link | undefined = root;
  while (link !== undefined) {
    const node = nodeOf(link);
    if (node.layer < layer) {
      return undefined;
    }
    const index = lowerBound(node.keys, key);
    if (node.keys[index] === key) {
      return node.values[index];
    }
    if (node.layer === layer) {
      return undefined;
    }
    link = node.children[index];
  }
  return undefined;
};

/**
 * Returns the value of a key, or `undefined` if the key is absent.
 * @throws {RepoError} `BlockNotFound`, `Corrupt`, `Malformed`: errors of the reader.
 */
export const findValue = async (reader: NodeReader, root: CID, key: string): Promise<CID | undefined> => {
  let cid: CidBytes | undefined = root.bytes as CidBytes;
  let layer: number | undefined;
  while (cid !== undefined) {
    const node: Node = reader.cached(cid, layer) ?? (await reader.node(cid, layer));
    const index = lowerBound(node.keys, key);
    if (node.keys[index] === key) {
      return decodeCid(node.values[index]!);
    }
    cid = node.children[index]?.cid;
    layer = node.layer - 1;
  }
  return undefined;
};

/** The same for many keys, in order, with one read per level of the tree. */
export const findValues = async (
  reader: NodeReader,
  root: CID,
  keys: readonly string[],
): Promise<(CID | undefined)[]> => {
  const loaded = await loadPaths(reader, linkTo(root), keys, { neighbours: false });
  return keys.map((key) => {
    const value = findLoaded(loaded, key);
    return value === undefined ? undefined : decodeCid(value);
  });
};
