/**
 * The base: the state from which local work is counted. It is the head that was imported last, or no commit at all in a
 * repository that began here. Commits do not name the ones before them, so it has to be remembered.
 *
 * `gc` keeps the nodes of the base's tree, and not its records: what was deleted here does not stay for its sake.
 */
import type { CID } from '../../data/cid.ts';
import { cidToText, parseCid } from '../../data/cid.ts';
import type { BlockChange, StoreReader } from '../../storage/ports.ts';
import type { Head } from '../commits.ts';

/** The meta name. */
const BASE = 'base';
const NO_COMMIT = '-';

export type BaseCommit = Pick<Head, 'cid' | 'data' | 'rev'>;

/** `empty` is for a repository that began here, `unknown` for one that nobody wrote the base of. */
export type Base = BaseCommit | 'empty' | 'unknown';

/** The base as a text without line breaks. */
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
    // A damaged text says nothing: local work is then told from the head alone.
    return 'unknown';
  }
};

export const readBase = async (store: Pick<StoreReader, 'meta'>): Promise<Base> => decodeBase(await store.meta(BASE));

/** Part of the change that imports a head or moves it back. */
export const setBase = (change: BlockChange, base: Base): Promise<void> => change.setMeta(BASE, encodeBase(base));

/** The root of the base's tree; `undefined` for the empty tree, and where the base is unknown. */
export const rootOf = (base: Base): CID | undefined => (typeof base === 'string' ? undefined : base.data);
