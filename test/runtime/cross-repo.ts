/** The steps of each runtime with a repository of another runtime. */
import type { Repo } from '../../src/core/repo/repo.ts';
import { importKey } from '../../src/core/crypto/signing-key.ts';
import type { CreateOptions, OpenOptions } from '../../src/node.ts';
import { DID, LIKE, POST, creates, post, rkeyOf } from '../../src/testing/repo/harness.ts';

const key = importKey('55'.repeat(32));

export interface EntryPoint {
  createRepo(folder: string, options: CreateOptions): Promise<Repo>;
  openRepo(folder: string, options?: OpenOptions): Promise<Repo>;
}

/** Describes the head, every record and every blob in one line. */
const describeRepo = async (repo: Repo): Promise<string> => {
  const { ok, signature } = await repo.verify({ key: key.did() });
  const records: string[] = [];
  for await (const { rkey, cid, value } of repo.list(POST)) {
    records.push(`${rkey} ${cid} ${String(value['text'])}`);
  }
  const blobs: string[] = [];
  for await (const { cid, size, mimeType } of repo.blobs()) {
    blobs.push(`${cid} ${size} ${mimeType} ${await (await repo.getBlob(cid))?.text()}`);
  }
  const log: string[] = [];
  for await (const { rev, message } of repo.log()) {
    log.push(`${rev} ${message}`);
  }
  return JSON.stringify({ did: repo.did, ok, signature, head: String((await repo.head())?.cid), records, blobs, log });
};

/** `write` creates a repository in the folder; `read` describes it; `extend` writes to it first. */
export const crossRepo = async (
  verb: string,
  folder: string,
  { createRepo, openRepo }: EntryPoint,
): Promise<string> => {
  const repo =
    verb === 'write' ? await createRepo(folder, { did: DID, signer: key }) : await openRepo(folder, { signer: key });
  if (verb === 'write') {
    await repo.write(creates(300), { message: 'three hundred' });
    const image = await repo.putBlob(new Blob(['a picture'], { type: 'image/png' }));
    await repo.put(POST, rkeyOf(7), { ...post('with a picture'), image });
    await repo.delete(POST, rkeyOf(8));
  } else if (verb === 'extend') {
    await repo.write([{ action: 'create', collection: LIKE, value: { subject: 'x' } }, ...creates(10, 1000)]);
  }
  const description = await describeRepo(repo);
  await repo.close();
  return description;
};
