/** Opens the repository after a power cut, and checks whether it is healthy. */
import { isRepoError } from '../../src/core/errors.ts';
import type { Repo } from '../../src/core/repo/repo.ts';
import type { Place } from './place.ts';
import { readState } from './repo-state.ts';
import type { RepoState } from './repo-state.ts';
import { DID } from './workload.ts';

export interface Expected {
  /** The state after the last acknowledged step. */
  readonly acknowledged: RepoState;
  /** The states after each of the running steps, in their order. Concurrent steps end in the order of their starts. */
  readonly started: readonly RepoState[];
  /** All earlier states. They distinguish a loss from corruption. */
  readonly earlier: readonly RepoState[];
  /** Fingerprints of disks that were healthy with the same expected states. */
  readonly known: Map<string, RepoState>;
}

export type Verdict =
  | { readonly kind: 'healthy'; readonly state: RepoState }
  /** The repository opens, but acknowledged data is missing. */
  | { readonly kind: 'lost'; readonly why: string }
  /** The repository does not open, has a state that it never had, has a fault, or cannot make a commit. */
  | { readonly kind: 'corrupt'; readonly why: string };

const corrupt = (why: string): Verdict => ({ kind: 'corrupt', why });

/**
 * Checks the repository, makes one more commit, and closes. `thorough` also opens and checks it again. Many cuts leave
 * the same disk after recovery. Such a disk is opened and closed, and is checked again only with `thorough`.
 */
export const judge = async (place: Place, expected: Expected, thorough: boolean): Promise<Verdict> => {
  try {
    const repo = await openOrCreate(place, expected);
    if (!('head' in repo)) {
      return repo;
    }
    const fingerprint = place.fingerprint();
    const known = expected.acknowledged.exists && !thorough ? expected.known.get(fingerprint) : undefined;
    if (known !== undefined) {
      await repo.close();
      const left = place.remaining();
      return left.length > 0
        ? corrupt(`after closing there are left: ${left.join(', ')}`)
        : { kind: 'healthy', state: known };
    }
    const verdict = await judgeOpen(repo, expected);
    if (verdict.kind !== 'healthy') {
      await repo.close();
      return verdict;
    }
    await repo.put('com.example.judged', 'self', { $type: 'com.example.judged', text: 'next commit' });
    const head = await repo.head();
    await repo.close();
    const remaining = place.remaining();
    if (remaining.length > 0) {
      return corrupt(`after closing there are left: ${remaining.join(', ')}`);
    }
    expected.known.set(fingerprint, verdict.state);
    if (thorough) {
      const again = await place.open();
      const { ok, faults } = await again.verify();
      const isThere = (await again.head())!.cid.equals(head!.cid);
      await again.close();
      if (!ok || !isThere) {
        return corrupt(`after one more commit: ${ok ? 'it is not there' : faults[0]!.message}`);
      }
    }
    return verdict;
  } catch (error) {
    return corrupt(
      error instanceof Error
        ? `${isRepoError(error) ? error.code : error.name}: ${error.message}`
        : 'something else was thrown',
    );
  }
};

const openOrCreate = async (place: Place, { acknowledged }: Expected): Promise<Repo | Verdict> => {
  try {
    return await place.open();
  } catch (error) {
    if (!isRepoError(error, 'RepoNotFound')) {
      throw error;
    }
    if (acknowledged.exists) {
      return { kind: 'lost', why: 'the repository is not there' };
    }
    // The creation was interrupted, and can be repeated.
    return place.open(DID);
  }
};

const judgeOpen = async (repo: Repo, { acknowledged, started, earlier }: Expected): Promise<Verdict> => {
  const state = await readState(repo);
  const candidates = [acknowledged, ...started];
  if (!candidates.some(({ text }) => text === state.text)) {
    const why = `found\n${state.text}\ninstead of\n${candidates.map(({ text }) => text).join('\nor\n')}`;
    return earlier.some(({ text }) => text === state.text) ? { kind: 'lost', why } : corrupt(why);
  }
  const after = started.at(-1) ?? acknowledged;
  for (const [cid, mimeType] of acknowledged.blobs) {
    if (after.blobs.has(cid) && (!state.blobs.has(cid) || state.blobs.get(cid) !== mimeType)) {
      return { kind: 'lost', why: `the blob is not there, or has lost its type; cid=${cid}` };
    }
  }
  for (const cid of state.blobs.keys()) {
    if (!acknowledged.blobs.has(cid) && !after.blobs.has(cid)) {
      return corrupt(`a removed or unknown blob exists; cid=${cid}`);
    }
  }
  const { faults } = await repo.verify();
  if (faults.length > 0) {
    return corrupt(faults.map(({ message }) => message).join('; '));
  }
  for await (const { uri } of repo.missingBlobs()) {
    return { kind: 'lost', why: `a record mentions a blob that is not there; uri=${uri}` };
  }
  return { kind: 'healthy', state: state };
};
