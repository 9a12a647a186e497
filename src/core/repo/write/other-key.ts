/**
 * Checks that the signer's key also signed the head. Every host rejects a commit by another key, and it blocks the
 * import of the account's next CAR.
 */
import type { CID } from '../../data/cid.ts';
import { cidEquals } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import type { Signer } from '../../crypto/signer.ts';
import type { BlockChange } from '../../storage/ports.ts';
import { decodeCommit, unsignedBytes } from '../commit.ts';
import type { ReadParts } from '../open-parts.ts';
import { ACCOUNT_KEY } from '../store-names.ts';
import { requireBlock } from '../../storage/checked-blocks.ts';
import type { Head } from '../commits.ts';

const isSignedBy = async (parts: ReadParts, cid: CID, key: string): Promise<boolean> => {
  const commit = decodeCommit(await requireBlock(parts.store, cid));
  if (commit.sig === undefined) {
    return false;
  }
  return parts.verifySignature(key, unsignedBytes(commit), commit.sig);
};

/**
 * Call it inside a change, before a commit on `head` is signed.
 * @throws {RepoError} `InvalidSigner` when the signer names its key and another key signed the head; `UnknownKey` when
 *   the signer's key is not supported.
 */
export const assertSameKey = async (
  parts: ReadParts,
  head: Head | undefined,
  signer: Signer | undefined,
  allowOtherKey: boolean | undefined,
): Promise<void> => {
  const key = signer?.did?.();
  if (head === undefined || !head.signed || key === undefined || allowOtherKey === true) {
    return;
  }
  const { signed } = parts.keys;
  if (signed?.key === key && cidEquals(signed.head, head.cid)) {
    return;
  }
  if (!(await isSignedBy(parts, head.cid, key))) {
    throw new RepoError(
      'InvalidSigner',
      "the head is not signed by the signer's key, so hosts would reject the commit. " +
        `If the account's key was rotated, pass \`allowOtherKey\` once; key=${key} rev=${head.rev}`,
    );
  }
  parts.keys.signed = { head: head.cid, key };
};

/** Records the key that signed a new head. Part of the change that makes it. */
export const noteKey = async (
  { keys, isOnlyOwner }: Pick<ReadParts, 'isOnlyOwner' | 'keys'>,
  change: BlockChange,
  head: CID,
  key: string | undefined,
): Promise<void> => {
  if (key === undefined) {
    return;
  }
  keys.signed = { head, key };
  const account = keys.account ?? (await change.meta(ACCOUNT_KEY));
  // Cleared for a new key, because the change may fail.
  keys.account = account === key && isOnlyOwner ? key : undefined;
  if (account !== key) {
    await change.setMeta(ACCOUNT_KEY, key);
  }
};
