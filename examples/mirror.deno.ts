/**
 * Keeps copies of accounts current. `accounts.txt` has a handle or DID in each line; the copies are folders beside it.
 * Run it by a timer: each run fetches only what has changed.
 *
 *     deno run --allow-net --allow-read=mirror --allow-write=mirror examples/mirror.deno.ts mirror
 *
 * For hosts of your own, set `ATP_PDS_HOST` and `ATP_PLC_HOST`, and add `--allow-env=ATP_PDS_HOST,ATP_PLC_HOST`.
 */
import { isRepoError } from 'pdsdb';
import { openOrCreateRepo } from 'pdsdb/deno';
import { clone } from 'pdsdb/sync';

const [folder] = Deno.args;
if (folder === undefined) {
  throw new Error('Give the folder that has accounts.txt.');
}

const variable = async (name: string): Promise<string | undefined> =>
  (await Deno.permissions.query({ name: 'env', variable: name })).state === 'granted' ? Deno.env.get(name) : undefined;
const [pdsUrl, plcUrl] = [await variable('ATP_PDS_HOST'), await variable('ATP_PLC_HOST')];
const hosts = { pdsUrl, plcUrl, allowPrivate: pdsUrl !== undefined };

const lines = (await Deno.readTextFile(`${folder}/accounts.txt`)).split('\n').map((line) => line.trim());
const accounts = lines.filter((line) => line !== '' && !line.startsWith('#'));
let failures = 0;
for (const account of accounts) {
  try {
    // A DID is the name of the folder, because a handle can change.
    const create = ({ did }: { readonly did: string }) =>
      openOrCreateRepo(`${folder}/${did.replaceAll(':', '-')}`, { did });
    const { repo, pulled } = await clone(account, create, hosts);
    await repo.close();
    const { status, created, updated, deleted, blobs } = pulled;
    console.log([account, status, created, updated, deleted, blobs.fetched, blobs.failed.length].join('\t'));
  } catch (error) {
    if (!isRepoError(error)) {
      throw error;
    }
    failures += 1;
    console.error([account, error.code, error.message].join('\t'));
  }
}
if (failures > 0) {
  Deno.exit(1);
}
