/** What is known about the account of a repository: its handle, its host, and whether its key signed the head. */
import type { CID, Repo } from 'pdsdb';
import { readCar, verifyCommit } from 'pdsdb';
import type { Account } from 'pdsdb/sync';
import { element } from '../../../page/element.ts';
import { formatDate } from '../../../page/quantities.ts';
import { fact } from '../fact.ts';

/** Whether a stored commit is signed with this key. */
const isSignedBy = async (repo: Repo, commit: CID, key: string): Promise<boolean> => {
  const [block] = readCar(await repo.exportBlocks([commit]));
  return block !== undefined && verifyCommit(block.bytes, key);
};

const handleOf = ({ handle, handleVerified }: Account): string =>
  handle === undefined ? 'None' : `@${handle}${handleVerified ? '' : ', which does not lead back to this account'}`;

/** Facts for the list of the overview. The commit is the head. */
export const accountFacts = async (
  repo: Repo,
  account: Account,
  commit: CID | undefined,
): Promise<readonly HTMLElement[]> => {
  const { key, pds, fetchedAt } = account;
  const isValid = commit !== undefined && (await isSignedBy(repo, commit, key));
  const verdict = isValid
    ? 'Verified with the key of the DID document'
    : 'Not by the key of the DID document. It may have changed since: pull to look it up again.';
  return [
    fact('Handle', handleOf(account)),
    fact('Host', pds),
    ...(commit === undefined
      ? []
      : [
          fact(
            'Signature',
            element('span', { class: isValid ? 'line' : 'line danger' }, verdict),
            element('span', { class: 'line mono' }, key),
            element('span', { class: 'line quiet' }, `Looked up ${formatDate(new Date(fetchedAt))}`),
          ),
        ]),
  ];
};
