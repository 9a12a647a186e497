/** Signs the head's tree again at the present time, when revs are in the future because a clock was ahead. */
import { createCommit } from '../commit.ts';
import { RepoError } from '../../errors.ts';
import type { Tid } from '../../syntax/tid.ts';
import type { RepoParts } from '../open-parts.ts';
import { MAIN, messageKey } from '../store-names.ts';
import { assertSwapCommit, noCommit, readHead } from '../read/head.ts';
import { partsIn } from '../open-parts.ts';
import type { RecommitOptions, RecommitResult } from '../commits.ts';
import type { BlockChange } from '../../storage/ports.ts';
import { stageBlocks } from '../../storage/stage-blocks.ts';
import type { BaseCommit } from '../transfer/base.ts';
import { readBase, setBase } from '../transfer/base.ts';
import { aheadOf, timeOf } from './clock-ahead.ts';
import { setMetaValues } from './meta.ts';
import { assertSameKey, noteKey } from './other-key.ts';
import { removeLater } from './reset.ts';

/** Returns the newest listed rev that is not in the future. */
const lastPast = async (change: BlockChange): Promise<Tid | undefined> => {
  for await (const [rev] of change.commits({ reverse: true })) {
    if (timeOf(rev) <= Date.now()) {
      return rev;
    }
  }
  return undefined;
};

const warningOf = (until: string): string =>
  `services that accepted the old rev ignore this repository until ${until}, or until it is announced again`;

/** `Repo.recommit`. */
export const recommitHead = async (
  parts: RepoParts,
  { rev: wanted, allowOtherKey, message, meta, swapCommit, ...options }: RecommitOptions,
): Promise<RecommitResult> => {
  if (wanted !== 'now') {
    throw new TypeError(`expected rev: 'now'; rev=${String(wanted).slice(0, 80)}`);
  }
  return parts.store.transact(async (change) => {
    const inside = partsIn(parts, change);
    const head = await readHead(inside);
    assertSwapCommit(head, swapCommit);
    if (head === undefined) {
      throw noCommit(parts.did);
    }
    const signer = options.signer ?? parts.signer;
    if (signer === undefined && head.signed) {
      throw new RepoError('SignerRequired', `the head is signed: pass a signer for the next commit; did=${parts.did}`);
    }
    await assertSameKey(inside, head, signer, allowOtherKey);
    parts.clock.rewind();
    const rev = parts.clock.next(await lastPast(change));
    const fields = { did: parts.did, data: head.data, rev };
    const commit = await createCommit(fields, signer, parts.verifySignature, parts.signBytes);
    await stageBlocks(change, [commit]);
    const ref = await removeLater(change, rev, head);
    await change.setRef(MAIN, commit.cid);
    await change.addCommit(rev, commit.cid);
    await moveBase(change, { cid: commit.cid, rev, data: head.data });
    await noteKey(parts, change, commit.cid, signer?.did?.());
    await setMetaValues(change, meta);
    if (message !== undefined) {
      await change.setMeta(messageKey(commit.cid), message);
    }
    const isAhead = aheadOf(head.rev) !== undefined;
    const until = isAhead ? new Date(timeOf(head.rev)).toISOString() : undefined;
    return {
      cid: commit.cid,
      rev,
      ref,
      ignoredUntil: until,
      warning: until === undefined ? undefined : warningOf(until),
    };
  });
};

/** A base with a rev in the future would be later than all later heads. */
const moveBase = async (change: BlockChange, head: BaseCommit): Promise<void> => {
  const base = await readBase(change);
  if (typeof base !== 'string' && base.rev > head.rev) {
    await setBase(change, base.data.equals(head.data) ? head : { ...base, rev: head.rev });
  }
};
