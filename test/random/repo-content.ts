/** Everything that a repository has, to compare two of them. */
import { createHash } from 'node:crypto';
import { listOf } from '../../src/core/data/list-of.ts';
import { readAll } from '../../src/core/data/streams.ts';
import type { Repo } from '../../src/core/repo/repo.ts';

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Returns the digest of the CAR of each commit and ref, and all names and values. Also verifies the repository. */
export const contentOf = async (repo: Repo): Promise<unknown> => {
  const log = await listOf(repo.log());
  const refs = [...(await repo.refs())];
  const cars: [string, string][] = [];
  for (const cid of new Set([...log.map((entry) => String(entry.cid)), ...refs.map(([, ref]) => String(ref))])) {
    cars.push([cid, digestOf(await readAll(repo.exportCar({ at: cid })))]);
  }
  const blobs: unknown[] = [];
  for await (const { cid, size, mimeType } of repo.blobs()) {
    blobs.push([String(cid), size, mimeType, digestOf(new Uint8Array(await (await repo.getBlob(cid))!.arrayBuffer()))]);
  }
  const { ok, faults } = await repo.verify();
  return {
    did: repo.did,
    head: String((await repo.head())?.cid),
    log: log.map(({ cid, rev, data, signed, message }) => [String(cid), rev, String(data), signed, message]),
    refs: refs.map(([name, cid]) => [name, String(cid)]),
    meta: await listOf(repo.meta.list()),
    collections: await repo.collections(),
    missing: (await listOf(repo.missingBlobs())).map(({ cid, uri }) => [String(cid), uri]),
    cars,
    blobs,
    ok,
    faults,
  };
};
