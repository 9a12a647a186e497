/**
 * The base: the commit that local work is compared with. It is the last imported head, or none in a repository that was
 * created locally. It is stored, because commits do not name their predecessors.
 *
 * `gc` keeps the nodes of the base's tree but not its records, so that deleted records are removed.
 */
import type { CID } from '../../data/cid.ts';
import { cidToText, parseCid } from '../../data/cid.ts';
import type { BlockChange, StoreReader } from '../../storage/ports.ts';
import type { Head } from '../commits.ts';
import { BASE } from '../store-names.ts';

const NO_COMMIT = '-';

export type BaseCommit = Pick<Head, 'cid' | 'data' | 'rev'>;

/** `empty`: the repository was created locally. `unknown`: no base is stored. */
export type Base = BaseCommit | 'empty' | 'unknown';

/** Encodes a base as a text without line breaks. */
export const encodeBase = (base: Base): string | undefined => {
  if (typeof base === 'string') {
    return base === 'empty' ? NO_COMMIT : undefined;
  }
  return `${base.rev} ${cidToText(base.cid)} ${cidToText(base.data)}`;
};

export const decodeBase = (text: string | undefined): Base => {
  if (text === undefined || text === NO_COMMIT) {
    return text === undefined ? 'unknown' : 'empty';
  }
  const [rev = '', cid = '', data = ''] = text.split(' ');
  try {
    return { rev, cid: parseCid(cid), data: parseCid(data) };
  } catch {
    // Without a valid base, local work is found by comparing with the head only.
    return 'unknown';
  }
};

export const readBase = async (store: Pick<StoreReader, 'meta'>): Promise<Base> => decodeBase(await store.meta(BASE));

/** Stores the base. Part of the change that imports a head or resets it. */
export const setBase = (change: BlockChange, base: Base): Promise<void> => change.setMeta(BASE, encodeBase(base));

/** Returns the root of the base's tree, or `undefined` for an empty tree or an unknown base. */
export const rootOf = (base: Base): CID | undefined => (typeof base === 'string' ? undefined : base.data);
