/**
 * Refs that keep what the head no longer leads to: `local-<rev>`, or `local-<rev>-<6 characters>` where that name is
 * another commit's. Beside a ref for local work the digest of that work is kept, and the base that it began from.
 */
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText } from '../../data/cid.ts';
import type { BlockChange, StoreReader } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { CommitRef } from '../commits.ts';
import type { Base } from './base.ts';
import { decodeBase, encodeBase } from './base.ts';

const PREFIX = 'local-';
/** The last ones: the first characters of CIDs are all the same. */
const CID_CHARACTERS = 6;

/** Whether a ref's name is of this kind. */
export const isKeptRef = (name: string): boolean => name.startsWith(PREFIX);

/** The meta name of what is known about a ref. */
export const keptKey = (ref: string): string => `kept:${ref}`;

/** Keeps a commit by a ref; part of a change. Returns the ref's name, which is the same each time. */
export const keepCommit = async (change: BlockChange, { cid, rev }: CommitRef): Promise<string> => {
  const name = `${PREFIX}${rev}`;
  const holder = await change.ref(name);
  const ref =
    holder === undefined || cidEquals(holder, cid) ? name : `${name}-${cidToText(cid).slice(-CID_CHARACTERS)}`;
  await change.setRef(ref, cid);
  return ref;
};

/** Puts a commit into the list. One of the same rev that it displaces stays by a ref. */
export const listCommit = async (change: BlockChange, rev: Tid, cid: CID): Promise<void> => {
  const before = await change.commit(rev);
  if (before !== undefined && !cidEquals(before, cid)) {
    await change.setRef(`${PREFIX}${rev}-${cidToText(before).slice(-CID_CHARACTERS)}`, before);
  }
  await change.addCommit(rev, cid);
};

/** Work that a ref keeps. */
export interface KeptRef {
  readonly ref: string;
  readonly cid: CID;
  /** Of the paths and their values. */
  readonly digest: string;
  readonly base: Base;
}

/** The refs that keep local work. */
export async function* keptRefs(store: Pick<StoreReader, 'meta' | 'refs'>): AsyncGenerator<KeptRef> {
  for await (const [ref, cid] of store.refs()) {
    const text = isKeptRef(ref) ? await store.meta(keptKey(ref)) : undefined;
    if (text !== undefined) {
      const space = text.indexOf(' ');
      yield { ref, cid, digest: text.slice(0, space), base: decodeBase(text.slice(space + 1)) };
    }
  }
}

/** Part of the change that keeps the ref. */
export const describeKept = (change: BlockChange, ref: string, digest: string, base: Base): Promise<void> =>
  change.setMeta(keptKey(ref), `${digest} ${encodeBase(base) ?? ''}`);
