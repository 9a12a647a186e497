/** What every repository promises about proofs of its records. */
import { verifyProof } from '../../core/repo/proof/verify-proof.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects } from '../case.ts';
import type { RepoHarness } from './harness.ts';
import { DID, KEY, POST, creates, over, post, rkeyOf } from './harness.ts';

const stateOf = async (car: Uint8Array, path: string): Promise<string> =>
  (await verifyProof(car, { did: DID, key: KEY.did(), path })).state;

export const repoProofCases: readonly Case<RepoHarness>[] = [
  over('a proof shows a record to others, or its absence', async (repo) => {
    await repo.write(creates(50));
    for (const path of [`${POST}/${rkeyOf(0)}`, `${POST}/${rkeyOf(49)}`]) {
      const result = await verifyProof(await repo.proveRecord(path), { did: DID, key: KEY.did(), path });
      assert(result.state === 'present', 'a record that is present');
      assertEqual(result.bytes, await repo.getBytes(path), 'its bytes');
      assertEqual(String(result.commit), String((await repo.head())?.cid), 'the head');
    }
    const none = `${POST}/none`;
    assertEqual(await stateOf(await repo.proveRecord(none), none), 'absent', 'a record that is absent');
    assertEqual(await stateOf(await repo.proveRecord(none), `${POST}/${rkeyOf(0)}`), 'unproven', 'another record');
  }),

  over('a proof may be of an older state', async (repo) => {
    const first = await repo.write(creates(1));
    const path = `${POST}/${rkeyOf(0)}`;
    await repo.put(POST, rkeyOf(0), post('changed'));
    const second = await repo.delete(POST, rkeyOf(0));
    assertEqual(await stateOf(await repo.proveRecord(path), path), 'absent', 'now');
    for (const at of [first.rev, first.cid]) {
      const car = await repo.proveRecord(path, { at });
      const result = await verifyProof(car, { did: DID, key: KEY.did(), path });
      assert(result.state === 'present', 'before');
      assertEqual(result.rev, first.rev, 'the rev');
    }
    assertEqual(await stateOf(await repo.proveRecord(path, { at: second!.rev }), path), 'absent', 'by the rev');
  }),

  over('a proof needs a commit and a valid path', async (repo) => {
    await assertRejects(() => repo.proveRecord(`${POST}/a`), 'HeadNotFound', 'without a commit');
    await repo.write(creates(1));
    await assertRejects(() => repo.proveRecord('nothing'), 'InvalidCollection', 'no path');
    await assertRejects(() => repo.proveRecord(`${POST}/a`, { at: 'none' }), 'RefNotFound', 'an unknown state');
  }),
];
