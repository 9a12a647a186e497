/** `openPdsAccount` and `import --from-pds` on the disk of a real PDS, while it runs and after it stopped. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readCar } from '../../src/index.ts';
import { openPdsAccount, openRepo } from '../../src/node.ts';
import { json } from '../cli/sample-account.ts';
import { pdsdb } from '../cli/run-command.ts';
import { seeded } from '../random/seeded.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { callHost } from './call-host.ts';
import { useNetwork } from './network.ts';
import { lacksPds, why } from './network-test.ts';

interface Account {
  readonly did: string;
  readonly key: string;
  readonly store: string;
  call(method: string, options?: Readonly<Record<string, unknown>>): Promise<unknown>;
}
const NOTE = 'com.example.note';

describe.skipIf(lacksPds)(`the disk of a PDS${why}`, () => {
  const network = useNetwork();
  let blobs: string;
  let account: Account;
  const folder = scratchFolder('from-pds');
  const at = (name: string): string => join(folder, name);
  const random = seeded(12);
  const records = new Map<string, string>();
  const uploaded: string[] = [];

  const headOfHost = async (): Promise<string> => {
    const car = (await account.call('com.atproto.sync.getRepo', { params: { did: account.did } })) as Uint8Array;
    return String(readCar(car).roots[0]);
  };
  const hashOfStore = (): string[] =>
    readdirSync(dirname(account.store)).map((name) =>
      createHash('sha256')
        .update(readFileSync(join(dirname(account.store), name)))
        .digest('hex'),
    );

  const upload = async (): Promise<unknown> => {
    const body = Uint8Array.from({ length: 1 + Math.floor(random() * 5000) }, () => Math.floor(random() * 256));
    const { blob } = (await account.call('com.atproto.repo.uploadBlob', { body, type: 'image/png' })) as {
      readonly blob: { readonly ref: { readonly $link: string } };
    };
    uploaded.push(blob.ref.$link);
    return blob;
  };

  /** Makes one write: a new record, a changed one, or a deleted one. */
  const write = async (): Promise<void> => {
    const known = [...records.keys()];
    const rkey =
      random() < 0.5 && known.length > 0
        ? known[Math.floor(random() * known.length)]!
        : `k${records.size}-${known.length}`;
    const repo = account.did;
    if (records.has(rkey) && random() < 0.4) {
      await account.call('com.atproto.repo.deleteRecord', { body: { repo, collection: NOTE, rkey } });
      records.delete(rkey);
      return;
    }
    const record = {
      $type: NOTE,
      text: 'x'.repeat(Math.floor(random() * 200)),
      ...(random() < 0.3 ? { file: await upload() } : {}),
    };
    const body = { repo, collection: NOTE, rkey, record };
    const { cid } = (await account.call('com.atproto.repo.putRecord', { body })) as { readonly cid: string };
    records.set(rkey, cid);
  };

  beforeAll(async () => {
    const [pds] = network.pds;
    blobs = join(pds!.dir, 'blobs');
    const { did, agent } = await pds!.createAccount({ name: 'alice' });
    const { accessJwt } = agent.session!;
    account = {
      did,
      key: (await pds!.signingKey(did)).did(),
      store: await pds!.storePath(did),
      call: (method, options = {}) => callHost(pds!.url, { method, token: accessJwt, ...options }),
    };
    for (let i = 0; i < 60; i++) {
      await write();
    }
  });

  const recordsIn = async (name: string): Promise<Record<string, string>> => {
    const lines = (await json(['ls', at(name), NOTE])) as { readonly path: string; readonly cid: string }[];
    return Object.fromEntries(lines.map(({ path, cid }) => [path.slice(NOTE.length + 1), cid]));
  };

  test('imports to the head of getRepo while the PDS runs, with the blobs', async () => {
    const before = hashOfStore();
    const args = ['import', at('alice'), '--from-pds', dirname(account.store), '--blobs', blobs, '--key', account.key];
    const [result] = (await json(args)) as {
      readonly head: string;
      readonly blobs: unknown;
      readonly faults?: unknown;
    }[];
    expect(hashOfStore()).toEqual(before);
    expect(result!.head).toBe(await headOfHost());
    expect(result!.faults).toBeUndefined();
    expect(result!.blobs).toMatchObject({ missing: 0 });
    expect(await recordsIn('alice')).toEqual(Object.fromEntries(records));
    expect(await json(['verify', at('alice'), '--key', account.key])).toMatchObject([{ ok: true, signature: 'valid' }]);
    expect(await json(['blob', 'missing', at('alice')])).toEqual([]);
    const [blob] = (await json(['blob', 'ls', at('alice')])) as { readonly cid: string; readonly mimeType: string }[];
    expect(blob!.mimeType).toBe('image/png');
    expect(uploaded).toContain(blob!.cid);
  });

  test('imports later writes into the same repository', async () => {
    for (let i = 0; i < 20; i++) {
      await write();
      if (i % 5 === 0) {
        const [result] = (await json(['import', at('alice'), '--from-pds', account.store])) as {
          readonly head: string;
        }[];
        expect(result!.head).toBe(await headOfHost());
      }
    }
    await json(['import', at('alice'), '--from-pds', account.store]);
    expect(await recordsIn('alice')).toEqual(Object.fromEntries(records));
  });

  test('a read during which the PDS writes returns the state at the opening, or rejects with Locked', async () => {
    const source = await openPdsAccount(account.store);
    const head = await headOfHost();
    await write();
    const read = async (): Promise<string> => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of source.car()) {
        chunks.push(chunk);
      }
      return String(readCar(Buffer.concat(chunks)).roots[0]);
    };
    // The PDS closes an idle database, and SQLite then writes the WAL into the main file.
    const outcome = await read().catch((error: unknown) => (error as { readonly code: string }).code);
    await source.close();
    expect([head, 'Locked']).toContain(outcome);
    expect(await headOfHost()).not.toBe(head);
  });

  test('refuses to import an account into the repository of another account', async () => {
    await json(['init', at('other'), '--did', 'did:web:other.example']);
    const wrong = await pdsdb(['import', at('other'), '--from-pds', account.store, '--json']);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ error: 'WrongDid' });
  });

  test('imports to the same head after the PDS stopped', async () => {
    const head = await headOfHost();
    await network.pds[0]!.stop();
    const [result] = (await json(['import', at('stopped'), '--from-pds', account.store])) as {
      readonly head: string;
    }[];
    expect(result!.head).toBe(head);
    const repo = await openRepo(at('stopped'), { readOnly: true });
    expect((await repo.verify({ key: account.key })).faults.filter(({ code }) => code !== 'BlobNotFound')).toEqual([]);
    await repo.close();
  });
});
