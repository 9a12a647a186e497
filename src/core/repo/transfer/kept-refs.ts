/**
 * Refs that keep old heads: `local-<rev>`, or `local-<rev>-<6 characters of the CID>` if another commit has that name.
 * If the head has local work (changes that the host does not have), a meta value stores the work's digest and base.
 */
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText } from '../../data/cid.ts';
import type { BlockChange, StoreReader } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { CommitRef } from '../commits.ts';
import type { Base } from './base.ts';
import { decodeBase, encodeBase } from './base.ts';

const PREFIX = 'local-';
/** The last characters, because the first ones are equal in all CIDs. */
const CID_CHARACTERS = 6;

/** Returns whether a ref keeps an old head. */
export const isKeptRef = (name: string): boolean => name.startsWith(PREFIX);

/** The meta key for such a ref. */
export const keptKey = (ref: string): string => `kept:${ref}`;

/** Keeps a commit under a ref and returns the ref's name. Part of a change. A second call returns the same name. */
export const keepCommit = async (change: BlockChange, { cid, rev }: CommitRef): Promise<string> => {
  const name = `${PREFIX}${rev}`;
  const holder = await change.ref(name);
  const ref =
    holder === undefined || cidEquals(holder, cid) ? name : `${name}-${cidToText(cid).slice(-CID_CHARACTERS)}`;
  await change.setRef(ref, cid);
  return ref;
};

/**
 * Adds a commit to the list of commits. If it replaces another commit with the same rev, a ref keeps the replaced one.
 * Returns the name of that ref.
 */
export const listCommit = async (change: BlockChange, rev: Tid, cid: CID): Promise<string | undefined> => {
  const before = await change.commit(rev);
  const ref =
    before === undefined || cidEquals(before, cid)
      ? undefined
      : `${PREFIX}${rev}-${cidToText(before).slice(-CID_CHARACTERS)}`;
  if (ref !== undefined) {
    await change.setRef(ref, before);
  }
  await change.addCommit(rev, cid);
  return ref;
};

/** A ref that keeps local work. */
export interface KeptRef {
  readonly ref: string;
  readonly cid: CID;
  /** The SHA-256 of the paths and their values. */
  readonly digest: string;
  readonly base: Base;
}

/** Yields the refs that keep local work. */
export async function* keptRefs(store: Pick<StoreReader, 'meta' | 'refs'>): AsyncGenerator<KeptRef> {
  for await (const [ref, cid] of store.refs()) {
    const text = isKeptRef(ref) ? await store.meta(keptKey(ref)) : undefined;
    if (text !== undefined) {
      const space = text.indexOf(' ');
      yield { ref, cid, digest: text.slice(0, space), base: decodeBase(text.slice(space + 1)) };
    }
  }
}

/** Stores the digest and the base of a ref. Part of the change that sets the ref. */
export const describeKept = (change: BlockChange, ref: string, digest: string, base: Base): Promise<void> =>
  change.setMeta(keptKey(ref), `${digest} ${encodeBase(base) ?? ''}`);
