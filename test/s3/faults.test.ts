/**
 * Connections to a real S3 server that break at random bytes. After each fault, a blob is complete or missing, and
 * nothing that was read is short or wrong. `PDSDB_S3_FAULTS` sets the number of faults, `PDSDB_SEED` the first seed.
 */
import { expect, test } from 'vitest';
import { s3Blobs } from '../../src/adapters/s3/open-blobs.ts';
import type { CID } from '../../src/core/data/cid.ts';
import { CODEC_RAW, cidOf } from '../../src/core/data/cid.ts';
import { isRepoError } from '../../src/core/errors.ts';
import { listOf } from '../../src/core/data/list-of.ts';
import { seeded } from '../random/seeded.ts';
import type { Plan } from './fault-proxy.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { lacksS3, makeBucket, server, why } from './s3-server.ts';

const FAULTS = Number(process.env['PDSDB_S3_FAULTS'] ?? 60);
const SEED = Number(process.env['PDSDB_SEED'] ?? 1);
const PART = 64 * 1024;

/** Headers take about 700 bytes of a request, and 300 of a response. */
const planOf = (random: () => number): Plan => {
  const within = (most: number): number => Math.floor(random() ** 2 * most);
  const kinds: readonly (() => Plan)[] = [
    () => ({ kind: 'cut request', after: within(5 * PART) }),
    () => ({ kind: 'cut request', after: within(2000) }),
    () => ({ kind: 'cut response', after: within(2000) }),
    () => ({ kind: 'cut response', after: within(5 * PART) }),
    () => ({ kind: 'truncate response', after: within(2000) }),
    () => ({ kind: 'truncate response', after: within(5 * PART) }),
    () => ({ kind: 'stall response', after: within(1000) }),
    () => ({ kind: 'respond', status: 503, code: 'SlowDown' }),
    () => ({ kind: 'respond', status: 500, code: 'InternalError' }),
    () => ({ kind: 'delay', ms: within(50) }),
  ];
  return kinds[Math.floor(random() * kinds.length)]!();
};

const ABORTED = Object.assign(new Error('the caller aborted'), { code: 'aborted' });

/** Returns the result, or the error if it is a typed one. */
const outcomeOf = async <T>(work: Promise<T>): Promise<{ readonly value: T } | { readonly code: string }> => {
  try {
    return { value: await work };
  } catch (error) {
    if (error === ABORTED || isRepoError(error)) {
      return { code: (error as { readonly code: string }).code };
    }
    throw error;
  }
};

test.skipIf(lacksS3)(`${FAULTS} faults${why}`, { timeout: 60_000 + FAULTS * 3000 }, async () => {
  const bucket = await makeBucket({ partSize: PART });
  const proxy = await startFaultProxy(Number(new URL(server.endpoint).port));
  const endpoint = `http://127.0.0.1:${proxy.port}`;
  const did = 'did:web:faults.example';
  const stores = [0, 1, 2].map((retries) => s3Blobs({ ...bucket.options, endpoint, timeoutMs: 500, retries })(did));
  const truth = s3Blobs(bucket.options)(did);
  const counts = { stored: 0, refused: 0, complete: 0, read: 0, unread: 0, swept: 0 };
  const hitCount = (): number => [...proxy.hits.values()].reduce((sum, count) => sum + count, 0);

  /** Returns the stored bytes, read without faults, or `undefined`. */
  const storedBytes = async (cid: CID): Promise<Uint8Array | undefined> => (await truth.get(cid))?.bytes();
  const isSame = (found: Uint8Array, wanted: Uint8Array): boolean => Buffer.compare(found, wanted) === 0;

  let seed = SEED;
  for (; hitCount() < FAULTS; seed++) {
    const random = seeded(seed);
    const plans = (): Plan[] => Array.from({ length: 1 + Math.floor(random() * 6) }, () => planOf(random));
    const size = Math.floor(random() < 0.3 ? random() * 1000 : random() * 6 * PART);
    const bytes = new Uint8Array(size).map((_, i) => i * (seed | 1) + (i >> 8));
    const store = stores[seed % stores.length]!;
    const cid = cidOf(CODEC_RAW, bytes);

    proxy.begin(plans());
    const source = random() < 0.5 ? bytes : (new Blob([bytes]).stream() as ReadableStream<Uint8Array>);
    const abort = new AbortController();
    const timer = random() < 0.2 ? setTimeout(() => abort.abort(ABORTED), random() * 100) : undefined;
    const put = await outcomeOf(store.put(source, { signal: abort.signal }));
    clearTimeout(timer);
    const found = await storedBytes(cid);
    if ('value' in put) {
      counts.stored++;
      expect(String(put.value.cid), `seed ${seed}`).toBe(String(cid));
      expect(found !== undefined && isSame(found, bytes), `seed ${seed}: a stored blob is complete`).toBe(true);
    } else {
      counts.refused++;
      expect(put.code, `seed ${seed}`).toMatch(/^(StorageFailed|aborted)$/);
      expect(found === undefined || isSame(found, bytes), `seed ${seed}: a blob is complete or missing`).toBe(true);
      counts.complete += found === undefined ? 0 : 1;
      await truth.put(bytes);
    }

    proxy.begin(plans());
    const get = await outcomeOf(store.get(cid).then((blob) => blob!.bytes()));
    if ('value' in get) {
      counts.read++;
      expect(isSame(get.value, bytes), `seed ${seed}: the bytes that were read`).toBe(true);
    } else {
      counts.unread++;
      expect(get.code, `seed ${seed}`).toBe('StorageFailed');
    }

    proxy.begin(plans());
    const list = await outcomeOf(listOf(store.list()));
    if ('value' in list) {
      expect(
        list.value.map((info) => [String(info.cid), info.size]),
        `seed ${seed}`,
      ).toEqual([[String(cid), size]]);
    }
    proxy.begin(plans());
    const removed = await outcomeOf(store.delete([cid]));
    if ('value' in removed) {
      expect(await truth.get(cid), `seed ${seed}: a deleted blob`).toBe(undefined);
    }
    await truth.delete([cid]);
    // The server may still be busy with a request whose client has left.
    for (let tries = 1; ; tries++) {
      const { uploads, objects } = await truth.sweep({ olderThanMs: 0 });
      counts.swept += uploads + objects;
      const rest = [...(await bucket.keys()), ...(await bucket.uploads())];
      if (rest.length === 0 || tries === 20) {
        expect(rest, `seed ${seed}: after the sweep`).toEqual([]);
        break;
      }
      await truth.delete([cid]);
    }
  }
  await proxy.close();
  console.log(`${seed - SEED} rounds`, counts, Object.fromEntries(proxy.hits));
  if (FAULTS >= 60) {
    expect(Math.min(counts.stored, counts.refused, counts.read)).toBeGreaterThan(0);
  }
});
