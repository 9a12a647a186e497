/**
 * Keeps backups of one account in a folder. Put the account's export there as
 * `new.car`. This imports it into `<folder>/repo`, checks everything, exports a dated CAR, and prints what
 * has changed since the last time.
 *
 *     deno run --allow-read=backups --allow-write=backups examples/backup.deno.ts backups
 */
import type { Repo } from 'pdsdb';
import { decodeCommit, readCarStream, RepoError } from 'pdsdb';
import { createRepo, openRepo } from 'pdsdb/deno';

const open = async (path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> => (await Deno.open(path)).readable;

/** Returns the account of a CAR, from the commit, which may be anywhere in the file. */
const didOf = async (path: string): Promise<string> => {
  const car = await readCarStream(await open(path));
  for await (const blocks of car) {
    const commit = blocks.find(({ cid }) => car.roots[0]?.equals(cid));
    if (commit !== undefined) {
      return decodeCommit(commit.bytes).did;
    }
  }
  throw new Error(`${path} lacks the commit in its root`);
};

/** Opens the repository of the earlier backups, or creates one for the account of the CAR. */
const openBackup = async (folder: string, car: string): Promise<Repo> => {
  try {
    return await openRepo(folder);
  } catch (error) {
    if (!(error instanceof RepoError) || error.code !== 'RepoNotFound') {
      throw error;
    }
    return createRepo(folder, { did: await didOf(car) });
  }
};

const [folder] = Deno.args;
if (folder === undefined) {
  throw new Error('name the folder of the backups, for example: backup.deno.ts backups');
}
const incoming = `${folder}/new.car`;
const repo = await openBackup(`${folder}/repo`, incoming);
try {
  const before = await repo.head();
  const { head, rev, missingBlobs } = await repo.importCar(await open(incoming));
  console.log(`imported ${head.toString()} of ${repo.did}; ${missingBlobs} blobs are missing`);

  for await (const { action, collection, rkey } of repo.diff(before?.cid)) {
    console.log(`${action} ${collection}/${rkey}`);
  }

  const { ok, faults } = await repo.verify();
  if (!ok) {
    throw new Error(faults.map(({ code, message }) => `${code}: ${message}`).join('\n'));
  }

  // Under a temporary name until it is complete, so that a file with a backup's name is a backup.
  const backup = `${folder}/${new Date().toISOString().slice(0, 10)}-${rev}.car`;
  await Deno.writeFile(`${backup}.part`, repo.exportCar());
  await Deno.rename(`${backup}.part`, backup);
  console.log(`the copy is valid; wrote ${backup}`);
} finally {
  await repo.close();
}
