/** Lines of commits: the account's history, or a branch. */
import type { CID } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import type { Block } from '../../blocks/block.ts';
import type { BlockChange } from '../../storage/ports.ts';
import { stageBlocks } from '../../storage/stage-blocks.ts';
import { isTid } from '../../syntax/tid.ts';
import { createCommit } from '../commit.ts';
import type { CommitRef, Head, WriteOptions } from '../commits.ts';
import type { ReadParts, RepoParts } from '../open-parts.ts';
import { MAIN, messageKey } from '../store-names.ts';
import { partsIn } from '../open-parts.ts';
import { headOf, readHead } from '../read/head.ts';
import { readBase, setBase } from '../transfer/base.ts';
import { listCommit } from '../transfer/kept-refs.ts';
import { setMetaValues } from './meta.ts';
import { assertSameKey, noteKey } from './other-key.ts';
import { readRequests } from './requests.ts';

/** The commits that a new commit builds on. */
export interface Ground {
  /** The commit that `swapCommit` compares with. */
  readonly head: Head | undefined;
  /** The commit whose records change. */
  readonly state: Head | undefined;
}

/** A sequence of commits. Both methods run inside a change. */
export interface Line {
  ground(inside: ReadParts): Promise<Ground>;
  /** Stores a commit, the new blocks of its tree, and its message and meta values. */
  store(
    parts: RepoParts,
    change: BlockChange,
    ground: Ground,
    data: CID,
    blocks: readonly Block[],
    options: WriteOptions,
  ): Promise<CommitRef>;
}

/** The account's history: `main` and the list of commits. */
export const mainLine: Line = {
  async ground(inside) {
    const head = await readHead(inside);
    return { head, state: head };
  },
  async store(parts, change, { head }, data, blocks, options) {
    const signer = options.signer ?? parts.signer;
    if (signer === undefined && head?.signed === true) {
      throw new RepoError('SignerRequired', `the head is signed: pass a signer for the next commit; did=${parts.did}`);
    }
    await assertSameKey(partsIn(parts, change), head, signer, options.allowOtherKey);
    const rev = parts.clock.next(head === undefined || !isTid(head.rev) ? undefined : head.rev);
    const commit = await createCommit({ did: parts.did, data, rev }, signer, parts.verifySignature, parts.signBytes);
    await stageBlocks(change, [...blocks, commit]);
    await change.setRef(MAIN, commit.cid);
    // The next read compares the CID with that of the ref, so a change that fails leaves nothing wrong.
    parts.heads.last = headOf(commit.cid, commit.commit);
    await listCommit(change, rev, commit.cid);
    await recordBase(parts, change, head);
    await noteKey(parts, change, commit.cid, signer?.did?.());
    if (options.message !== undefined) {
      await change.setMeta(messageKey(commit.cid), options.message);
    }
    await setMetaValues(change, options.meta);
    if (options.request !== undefined) {
      await (await readRequests(change)).add(change, options.request, rev);
    }
    return { cid: commit.cid, rev };
  },
};

/** Records the base of local work at the first local commit, if no import has. */
const recordBase = async ({ keys }: RepoParts, change: BlockChange, head: Head | undefined): Promise<void> => {
  if (keys.hasBase) {
    return;
  }
  if ((await readBase(change)) === 'unknown') {
    await setBase(change, head ?? 'empty');
  } else {
    keys.hasBase = true;
  }
};
