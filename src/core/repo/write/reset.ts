/** Makes an older commit of `main` the head again. */
import type { CID } from '../../data/cid.ts';
import { cidEquals, cidToText } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import type { BlockChange } from '../../storage/ports.ts';
import type { Tid } from '../../syntax/tid.ts';
import { raiseEpoch } from '../care/epoch.ts';
import { noteReset } from '../care/resets.ts';
import type { ReadParts, RepoParts } from '../open-parts.ts';
import { MAIN, messageKey } from '../store-names.ts';
import { assertSwapCommit, readHead } from '../read/head.ts';
import { partsIn } from '../open-parts.ts';
import { resolveCommit } from '../read/history.ts';
import type { Transition } from '../read/transition.ts';
import { keepingTransition } from '../read/transition.ts';
import type { Head, ResetOptions, ResetResult } from '../commits.ts';
import type { Base, BaseCommit } from '../transfer/base.ts';
import { readBase, setBase } from '../transfer/base.ts';
import { forgetJump } from '../transfer/jumps.ts';
import { keepCommit, keptRefs } from '../transfer/kept-refs.ts';
import { assertWhole } from './checked-out.ts';
import { setMetaValues } from './meta.ts';
import { forgetRequests } from './requests.ts';

/**
 * Returns a commit of the local history.
 * @throws {RepoError} `RefNotFound` when it is not in the local history.
 */
const requireListed = async (parts: ReadParts, target: string | CID): Promise<Head> => {
  const found = await resolveCommit(parts, target);
  if (!cidEquals(await parts.store.commit(found.rev as Tid), found.cid)) {
    throw new RepoError(
      'RefNotFound',
      'the commit is not in the local history, so it cannot become the head again. ' +
        `Check it out and commit the tree instead; rev=${found.rev} cid=${cidToText(found.cid)}`,
    );
  }
  return found;
};

/**
 * Removes commits newer than `rev` from the list. Part of the change that makes an older head. Returns the ref that
 * keeps the old head, or `undefined` if the old head stays in the list.
 */
export const removeLater = async (change: BlockChange, rev: Tid, head: Head): Promise<string | undefined> => {
  let last: Tid | undefined;
  for await (const [later, cid] of change.commits({ after: rev })) {
    await change.removeCommit(later);
    await forgetJump(change, later);
    if (!cidEquals(cid, head.cid)) {
      await change.setMeta(messageKey(cid), undefined);
    }
    last = later;
  }
  await forgetRequests(change);
  if (last === undefined) {
    return undefined;
  }
  await noteReset(change, rev, last);
  await raiseEpoch(change);
  return keepCommit(change, head);
};

/** Returns the base of an older head: the recorded base, unless it is newer than the head. */
const baseOf = async ({ store }: ReadParts, target: Head): Promise<Base> => {
  const base = await readBase(store);
  if (base === 'empty' || (base !== 'unknown' && base.rev <= target.rev)) {
    return base;
  }
  for await (const kept of keptRefs(store)) {
    if (cidEquals(kept.cid, target.cid)) {
      return kept.base;
    }
  }
  const { cid, data, rev }: BaseCommit = target;
  return { cid, data, rev };
};

/** `Repo.reset`. */
export const resetHead = (
  parts: RepoParts,
  target: string | CID,
  { meta, swapCommit }: ResetOptions = {},
): Promise<{ readonly result: ResetResult; readonly transition: Transition | undefined }> =>
  keepingTransition(parts.pins, async (keep) => {
    const done = await parts.store.transact(async (change) => {
      const inside = partsIn(parts, change);
      const head = await readHead(inside);
      assertSwapCommit(head, swapCommit);
      const found = await requireListed(inside, target);
      const { cid, rev, data } = found;
      await setMetaValues(change, meta);
      if (head === undefined || cidEquals(head.cid, cid)) {
        return { result: { cid, rev, ref: undefined }, transition: undefined };
      }
      await assertWhole(inside, found);
      const base = await baseOf(inside, found);
      const ref = await removeLater(change, rev as Tid, head);
      await setBase(change, base);
      await change.setRef(MAIN, cid);
      return { result: { cid, rev, ref }, transition: keep(head.data, data) };
    });
    parts.clock.rewind();
    return done;
  });
