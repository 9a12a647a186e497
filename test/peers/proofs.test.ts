/** Other implementations accept our proofs of records, and we accept theirs. */
import { Secp256k1PublicKey, parseDidKey } from '@atcute/crypto';
import { verifyRecord } from '@atcute/repo';
import { Secp256k1Keypair } from '@atproto/crypto';
import { MemoryBlockstore, Repo as ReferenceRepo, WriteOpAction, getRecords, verifyProofs } from '@atproto/repo';
import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../src/core/data/bytes.ts';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import { verifyProof } from '../../src/core/repo/proof/verify-proof.ts';
import { DID, KEY, POST, creates, rkeyOf } from '../../src/testing/repo/harness.ts';

const COUNT = 200;
const paths = Array.from({ length: COUNT }, (_, i) => rkeyOf(i));

describe('proofs of records', () => {
  test('of ours are accepted by @atproto/repo and @atcute/repo', async () => {
    await using repo = repoOver({ did: DID, signer: KEY, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
    await repo.write(creates(COUNT));
    const publicKey = await Secp256k1PublicKey.importRaw(parseDidKey(KEY.did()).publicKeyBytes);
    for (const rkey of paths.filter((_, i) => i % 10 === 0)) {
      const car = await repo.proveRecord(`${POST}/${rkey}`);
      const cid = (await repo.get(POST, rkey))!.cid;
      // The reference has a class of its own for CIDs, with the same fields.
      const claim = { collection: POST, rkey, cid } as unknown as Parameters<typeof verifyProofs>[1][number];
      const { verified, unverified } = await verifyProofs(car, [claim], DID, KEY.did());
      expect([verified.length, unverified.length]).toEqual([1, 0]);
      const found = await verifyRecord({ did: DID, collection: POST, rkey, publicKey, carBytes: car });
      expect(found.cid).toBe(String(cid));
    }
    const none = await repo.proveRecord(`${POST}/none`);
    const absent = await verifyProofs(none, [{ collection: POST, rkey: 'none', cid: null }], DID, KEY.did());
    expect([absent.verified.length, absent.unverified.length]).toEqual([1, 0]);
  });

  test('of @atproto/repo are accepted, present and absent', async () => {
    const keypair = await Secp256k1Keypair.create();
    const storage = new MemoryBlockstore();
    const created = await ReferenceRepo.create(storage, DID, keypair);
    const reference = await created.applyWrites(
      paths.map((rkey) => ({
        action: WriteOpAction.Create as const,
        collection: POST,
        rkey,
        record: { $type: POST, text: rkey },
      })),
      keypair,
    );
    for (const rkey of [...paths.filter((_, i) => i % 10 === 0), 'none', '0']) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of getRecords(storage, reference.cid, [{ collection: POST, rkey }])) {
        chunks.push(chunk);
      }
      const result = await verifyProof(concatBytes(chunks), { did: DID, key: keypair.did(), path: `${POST}/${rkey}` });
      expect(result.state, rkey).toBe(paths.includes(rkey) ? 'present' : 'absent');
    }
  });
});
