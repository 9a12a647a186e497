/** How libsecp256k1 is loaded in Node, and that commits signed with it are the same. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Signer } from '../../../src/core/crypto/signer.ts';
import { generateKey, importKey, signBy } from '../../../src/core/crypto/signing-key.ts';
import { verifySignature } from '../../../src/core/crypto/keys.ts';
import { decodeCommit, unsignedBytes } from '../../../src/core/repo/commit.ts';
import { requireBlock } from '../../../src/core/storage/checked-blocks.ts';
import { scratchFolder } from '../scratch.ts';

const DID = 'did:web:alice.example.com';
/** Signatures that do not load it: each of the first commits makes one and checks one, and a test makes one. */
const FEW = 1;
const BYTES = new TextEncoder().encode('bytes to sign');

/** Modules of their own, in which nothing is loaded yet. */
const fresh = async () => ({
  library: await import('../../../src/adapters/platform/node-secp256k1.ts'),
  node: await import('../../../src/node.ts'),
});

beforeEach(() => vi.resetModules());
afterEach(() => vi.restoreAllMocks());

test('an import of the entry point loads nothing, nor do few signatures; many load it once', async () => {
  const instantiate = vi.spyOn(WebAssembly, 'instantiate');
  const { library } = await fresh();
  const key = importKey('07'.repeat(32));
  const signature = await key.sign(BYTES);
  for (let i = 0; i < 4; i++) {
    expect(await signBy(key, BYTES, library.nodeSignBytes)).toEqual(signature);
  }
  expect(instantiate).not.toHaveBeenCalled();
  for (let i = 0; i < 4; i++) {
    expect(await signBy(key, BYTES, library.nodeSignBytes)).toEqual(signature);
  }
  // Nothing was awaited but signatures, so the fifth one has waited.
  expect(await library.nodeSignBytes('secp256k1', new Uint8Array(32).fill(7), BYTES)).toEqual(signature);
  expect(instantiate).toHaveBeenCalledTimes(1);
});

test('it signs and checks secp256k1 only', async () => {
  const { library } = await fresh();
  await library.loadSecp256k1();
  const p256 = generateKey('p256');
  expect(await library.nodeSignBytes('p256', p256.export(), BYTES)).toBeUndefined();
  const publicKey = new Uint8Array(33);
  expect(library.nodeFastVerify({ curve: 'p256', publicKey }, BYTES, new Uint8Array(64))).toBeUndefined();
  expect(await signBy(p256, BYTES, library.nodeSignBytes)).toEqual(await p256.sign(BYTES));
});

test('a signer of the user is called, also with the methods of a key of this library', async () => {
  const { library } = await fresh();
  await library.loadSecp256k1();
  const key = generateKey();
  const sign = vi.fn<Signer['sign']>((bytes) => key.sign(bytes));
  for (const signer of [{ sign }, { ...key, sign }, Object.assign({ ...key }, { sign })]) {
    await signBy(signer, BYTES, library.nodeSignBytes);
  }
  expect(sign).toHaveBeenCalledTimes(3);
});

test('a repository makes the commits that JavaScript makes, before and after it is loaded', async () => {
  const { library, node } = await fresh();
  const { importKey: importFresh } = await import('../../../src/core/crypto/signing-key.ts');
  const { accessOf } = await import('../../../src/core/repo/repo-access.ts');
  const key = importFresh('09'.repeat(32));
  await using repo = await node.createRepo(join(scratchFolder('secp256k1'), 'repo'), { did: DID, signer: key });
  const { signBytes, store } = accessOf(repo).parts();
  for (let i = 0; i < 10; i++) {
    if (i === FEW) {
      expect(await library.loadSecp256k1()).toBeDefined();
    }
    const { commit } = await repo.put('app.example.note', `note-${i}`, { text: `${i}` });
    const { sig, ...unsigned } = decodeCommit(await requireBlock(store, commit.cid));
    const bytes = unsignedBytes(unsigned);
    expect(await signBytes?.('secp256k1', key.export(), bytes)).toEqual(i < FEW ? undefined : sig);
    expect(sig).toEqual(await importKey('09'.repeat(32)).sign(bytes));
    expect(verifySignature(key.did(), bytes, sig!)).toBe(true);
  }
  expect((await repo.verify({ key: key.did() })).signature).toBe('valid');
});
