/** Test cases of every repository: the forms of a public key. */
import { rejectionOf, assert, assertEqual, assertRejects, assertTypeError } from '../case.ts';
import type { Case } from '../case.ts';
import { readAll } from '../../core/data/streams.ts';
import type { KeySource } from '../../core/crypto/key-source.ts';
import type { RepoHarness } from './harness.ts';
import { DID, KEY, OTHER_DID, OTHER_KEY, creates, over } from './harness.ts';

const documentOf = (did: string, key: string): object => ({
  '@context': ['https://www.w3.org/ns/did/v1'],
  id: did,
  verificationMethod: [
    { id: `${did}#atproto`, type: 'Multikey', controller: did, publicKeyMultibase: key.slice('did:key:'.length) },
  ],
  // What a wire cannot carry does not have to cross it.
  toString: () => 'a document',
});

/** Returns every form of one key. */
const formsOf = (did: string, key: string): readonly (readonly [name: string, key: KeySource])[] => [
  ['a did:key', key],
  ['a publicKeyMultibase', key.slice('did:key:'.length)],
  ['a DID document', documentOf(did, key)],
  ['the JSON of a DID document', JSON.stringify(documentOf(did, key))],
];

export const repoKeySourceCases: readonly Case<RepoHarness>[] = [
  over('a key is a did:key, a publicKeyMultibase, a DID document or its JSON', async (repo, harness) => {
    const { cid } = await repo.write(creates(3));
    const car = await readAll(repo.exportCar());
    const copy = await harness.other().create({ did: DID });
    for (const [name, key] of formsOf(DID, KEY.did())) {
      assertEqual((await repo.verify({ key })).signature, 'valid', `verify with ${name}`);
      assertEqual(String((await copy.importCar(car, { key })).head), String(cid), `import with ${name}`);
    }
    for (const [name, key] of formsOf(DID, OTHER_KEY.did())) {
      assertEqual((await repo.verify({ key })).signature, 'invalid', `verify with ${name} of another key`);
      await assertRejects(() => copy.importCar(car, { key }), 'InvalidSignature', `import, ${name} of another key`);
    }
    await copy.close();
  }),

  over('a key of another form is refused, and the message names the valid forms', async (repo) => {
    await repo.write(creates(1));
    const car = await readAll(repo.exportCar());
    const foreign = documentOf(OTHER_DID, KEY.did());
    for (const key of ['alice.example', '', DID, foreign, JSON.stringify(foreign), {}, '{']) {
      await assertRejects(() => repo.verify({ key }), 'UnknownKey', `verify with ${JSON.stringify(key)}`);
      await assertRejects(() => repo.importCar(car, { key }), 'UnknownKey', `import with ${JSON.stringify(key)}`);
    }
    const error = await rejectionOf(() => repo.verify({ key: DID }), 'a DID');
    assert(/expected .*did:key.*publicKeyMultibase.*DID document/.test((error as Error).message), String(error));
    await assertTypeError(() => repo.verify({ key: 5 as never }), 'a number');
    await assertTypeError(() => repo.importCar(car, { key: null as never }), 'null');
  }),

  over('verify checks the commit that `at` names', async (repo) => {
    const { rev } = await repo.write(creates(2));
    await repo.write(creates(3, 2));
    assertEqual((await repo.verify({ at: rev, key: KEY.did() })).records, 2, 'records of the earlier commit');
    await assertRejects(() => repo.verify({ at: 'none' }), 'RefNotFound', 'a ref that is not there');
  }),
];
