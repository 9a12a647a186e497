/**
 * Whether the key that is about to sign is the one that signed the head. A commit by another key is refused by every
 * host, and stands in the way of the account's next CAR.
 */
import type { CID } from '../../data/cid.ts';
import { cidEquals } from '../../data/cid.ts';
import { RepoError } from '../../errors.ts';
import type { Signer } from '../../crypto/signer.ts';
import type { BlockChange } from '../../storage/ports.ts';
import { decodeCommit, unsignedBytes } from '../commit.ts';
import type { ReadParts } from '../open-parts.ts';
import { requireBlock } from '../../storage/checked-blocks.ts';
import type { Head } from '../commits.ts';

/** The meta name of the account's key, a `did:key`: that of the last write, or of the last import that was verified. */
export const ACCOUNT_KEY = 'key';

const isSignedBy = async (parts: ReadParts, cid: CID, key: string): Promise<boolean> => {
  const commit = decodeCommit(await requireBlock(parts.store, cid));
  if (commit.sig === undefined) {
    return false;
  }
  const verify = parts.verifySignature;
  return (verify.aside ?? verify)(key, unsignedBytes(commit), commit.sig);
};

/**
 * To be called inside a change, before a commit on `head` is signed.
 * @throws {RepoError} `InvalidSigner` when the head is signed by another key than the signer's, as far as it says which
 *   one it has; `UnknownKey` when that is no key of atproto.
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
      "the head is not signed by the signer's key, so a host would refuse the commit. " +
        `The account's key may have been rotated: pass \`allowOtherKey\` once; key=${key} rev=${head.rev}`,
    );
  }
  parts.keys.signed = { head: head.cid, key };
};

/** Notes whose signature a new head has; part of the change that makes it. */
export const noteKey = async (
  { keys }: Pick<ReadParts, 'keys'>,
  change: BlockChange,
  head: CID,
  key: string | undefined,
): Promise<void> => {
  if (key === undefined) {
    return;
  }
  keys.signed = { head, key };
  keys.account ??= await change.meta(ACCOUNT_KEY);
  if (keys.account !== key) {
    // Read again next time: the change may fail.
    keys.account = undefined;
    await change.setMeta(ACCOUNT_KEY, key);
  }
};
