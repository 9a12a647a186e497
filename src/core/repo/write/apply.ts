/**
 * Applies operations to a tree. A pure function: takes a root and operations, returns a root, new blocks and the
 * changes. Stores nothing.
 */
import type { CID, CidBytes } from '../../data/cid.ts';
import { cidEquals, cidToText, decodeCid } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import { findLoaded } from '../../mst/find.ts';
import { insert } from '../../mst/insert.ts';
import { loadPaths } from '../../mst/load.ts';
import type { NamedNode } from '../../mst/node.ts';
import { EMPTY_LINK } from '../../mst/node.ts';
import type { NodeReader } from '../../mst/node-reader.ts';
import { remove } from '../../mst/remove.ts';
import { seal } from '../../mst/seal.ts';
import type { RecordChange } from '../repo.ts';
import type { HashAll } from '../../data/sha256.ts';
import type { Block } from '../../blocks/block.ts';
import { splitPath } from '../path.ts';

/**
 * An operation with its encoded record. `put` creates or updates; `discard` deletes if the key is present. Both succeed
 * whether or not the key is present.
 */
export type PlannedOp =
  | {
      readonly action: 'create' | 'put' | 'update';
      readonly path: string;
      readonly record: Block;
      readonly swapRecord?: CID | null | undefined;
    }
  | { readonly action: 'delete' | 'discard'; readonly path: string; readonly swapRecord?: CID | null | undefined };

export interface Applied {
  readonly root: CID;
  /** New nodes and records. Some may be stored already. */
  readonly blocks: readonly Block[];
  /** The nodes in `blocks`. */
  readonly nodes: readonly NamedNode[];
  /** At most one change per path, in key order. Omits paths that end with their old value. */
  readonly changes: readonly RecordChange[];
}

const assertAction = (op: PlannedOp, now: CID | undefined): void => {
  if (op.action === 'create' && now !== undefined) {
    throw new RepoError(
      'RecordExists',
      `There is already a value at key: ${op.path}. To replace it, use update or put`,
    );
  }
  if ((op.action === 'update' || op.action === 'delete') && now === undefined) {
    throw new RepoError(
      'RecordNotFound',
      `Could not find a record with key: ${op.path}. To make it, use create or put`,
    );
  }
  if (op.swapRecord !== undefined && !cidEquals(now, op.swapRecord ?? undefined)) {
    throw new RepoError(
      'InvalidSwap',
      `Record was at ${now === undefined ? 'null' : cidToText(now)}: read it again; path=${op.path}`,
    );
  }
};

/**
 * Applies operations in order. Each sees the ones before it.
 * @param root The tree before the operations; `undefined` is the empty tree.
 * @throws {RepoError} `RecordExists`, `RecordNotFound`, `InvalidSwap`.
 */
export const applyOps = async (
  nodes: NodeReader,
  root: CID | undefined,
  ops: readonly PlannedOp[],
  hashAll?: HashAll,
): Promise<Applied> => {
  const paths = [...new Set(ops.map(({ path }) => path))].sort();
  const start = root === undefined ? EMPTY_LINK : { cid: root.bytes as CidBytes, node: undefined };
  const loaded = await loadPaths(nodes, start, paths);

  const before = new Map<string, CID | undefined>();
  for (const path of paths) {
    const cid = findLoaded(loaded, path);
    before.set(path, cid === undefined ? undefined : decodeCid(cid));
  }
  const after = new Map(before);
  const records = new Map<string, Block>();
  for (const op of ops) {
    assertAction(op, after.get(op.path));
    if ('record' in op) {
      records.set(cidToText(op.record.cid), op.record);
      after.set(op.path, op.record.cid);
    } else {
      after.set(op.path, undefined);
    }
  }

  const changes: RecordChange[] = [];
  const blocks = new Map<string, Block>();
  let link = loaded;
  for (const path of paths) {
    const prev = before.get(path);
    const cid = after.get(path);
    if (cidEquals(prev, cid)) {
      continue;
    }
    changes.push({
      action: prev === undefined ? 'create' : cid === undefined ? 'delete' : 'update',
      ...splitPath(path),
      cid,
      prev,
    });
    if (cid === undefined) {
      link = remove(link, path);
      continue;
    }
    link = insert(link, path, cid.bytes as CidBytes);
    const text = cidToText(cid);
    blocks.set(text, records.get(text)!);
  }
  const sealed = seal(link, hashAll);
  for (const block of sealed.blocks) {
    blocks.set(cidToText(block.cid), block);
  }
  return { root: decodeCid(sealed.root), blocks: [...blocks.values()], nodes: sealed.nodes, changes };
};
