/** An import of a slow source of more than 40 MiB, which a scratch file keeps, over real folders. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { readAll } from '../../../../src/core/data/streams.ts';
import type { Progress } from '../../../../src/core/repo/long-work.ts';
import { repoOver } from '../../../../src/core/repo/local-repo.ts';
import type { Repo } from '../../../../src/core/repo/repo.ts';
import { MemoryBlobStore } from '../../../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../../../src/core/storage/memory-block-store.ts';
import { createRepo, openRepo } from '../../../../src/node.ts';
import { DID, KEY, POST, post, rkeyOf } from '../../../../src/testing/repo/harness.ts';
import { scratchFolder } from '../../../adapters/scratch.ts';

const root = scratchFolder('slow-source');
const RECORDS = 55;
const CHUNK = 1 << 20;
/** A CAR of the first record, and one of all records. */
let early: Uint8Array;
let car: Uint8Array;
let head: string;
let number = 0;

beforeAll(async () => {
  const host = repoOver({ did: DID, signer: KEY, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
  for (let at = 0; at < RECORDS; at++) {
    await host.put(POST, rkeyOf(at), { ...post(`post ${at}`), padding: String(at).repeat(900_000).slice(0, 900_000) });
    early ??= await readAll(host.exportCar());
  }
  head = String((await host.head())!.cid);
  car = await readAll(host.exportCar());
});

const makeFolder = async (): Promise<{ folder: string; repo: Repo }> => {
  const folder = join(root, `repo-${(number += 1)}`);
  return { folder, repo: await createRepo(folder, { did: DID, signer: KEY }) };
};

/** The names of files in `blobs/`, other than the folder of the blobs. */
const scratchFiles = (folder: string): string[] => readdirSync(join(folder, 'blobs')).filter((name) => name !== 'ba');

/** The chunks of the CAR. `pause` is called before each. */
const slowly = async function* (pause: (at: number) => Promise<void> | void, bytes = car): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK) {
    await pause(at);
    yield bytes.subarray(at, at + CHUNK);
  }
};

describe('a slow source of more than 40 MiB', () => {
  test('other writes do not wait for its end, and its copy is removed', async () => {
    const { folder, repo } = await makeFolder();
    await repo.importCar(early);
    const branch = repo.branch('draft');
    const seen: string[][] = [];
    const progress: Progress[] = [];
    const result = await repo.importCar(
      slowly(async (at) => {
        if (at > 44 * CHUNK) {
          seen.push(scratchFiles(folder));
          await branch.put(POST, rkeyOf(1000 + at / CHUNK), post('meanwhile'));
        }
      }),
      { onProgress: (now) => progress.push(now) },
    );
    expect(seen.length).toBeGreaterThan(2);
    expect(seen.every(([name, ...more]) => /\.tmp-scratch$/.test(name!) && more.length === 0)).toBe(true);
    expect(String(result.head)).toBe(head);
    expect(scratchFiles(folder)).toEqual([]);
    expect((await repo.verify()).faults).toEqual([]);
    expect((await branch.get(POST, rkeyOf(1046)))?.value['text']).toBe('meanwhile');
    const sizes = progress.filter(({ phase }) => phase === 'read').map(({ bytes }) => bytes);
    expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
    expect(sizes.at(-1)).toBe(car.length);
    await repo.close();
  });

  test('a record that is written meanwhile is compared at the end', async () => {
    const { folder, repo } = await makeFolder();
    const importing = repo.importCar(
      slowly(async (at) => {
        if (at === 45 * CHUNK) {
          await repo.put(POST, 'meanwhile', post('meanwhile'));
        }
      }),
    );
    await expect(importing).rejects.toMatchObject({ code: 'OutdatedRev' });
    expect((await repo.info()).records).toBe(1);
    expect(scratchFiles(folder)).toEqual([]);
    await repo.close();
  });

  const stops: Readonly<Record<string, (repo: Repo) => Promise<unknown>>> = {
    'an abort': (repo) => {
      const abort = new AbortController();
      const source = slowly((at) => {
        if (at === 46 * CHUNK) {
          abort.abort(new Error('enough'));
        }
      });
      return repo.importCar(source, { signal: abort.signal });
    },
    'an error of the source': (repo) =>
      repo.importCar(
        slowly((at) => {
          if (at === 46 * CHUNK) {
            throw new Error('the connection is lost');
          }
        }),
      ),
    'too many bytes': (repo) =>
      repo.importCar(
        slowly(() => {}),
        { maxSize: 45 * CHUNK },
      ),
    'a chunk that is text': (repo) =>
      repo.importCar(
        (async function* () {
          yield* slowly(() => {}, car.subarray(0, 46 * CHUNK));
          yield 'text' as unknown as Uint8Array;
        })(),
      ),
    'a damaged block in the copy': (repo) => {
      const damaged = car.slice();
      damaged[46 * CHUNK]! ^= 1;
      return repo.importCar(slowly(() => {}, damaged));
    },
    'a source that ends early': (repo) => repo.importCar(slowly(() => {}, car.subarray(0, 46 * CHUNK))),
  };
  const errors: Readonly<Record<string, object>> = {
    'an abort': { message: 'enough' },
    'an error of the source': { message: 'the connection is lost' },
    'too many bytes': { code: 'LimitExceeded' },
    'a chunk that is text': expect.any(TypeError) as object,
    'a damaged block in the copy': { code: 'Malformed' },
    'a source that ends early': { code: 'Malformed' },
  };

  test.each(Object.keys(stops))('%s changes nothing, and leaves no copy', async (name) => {
    const { folder, repo } = await makeFolder();
    await repo.put(POST, 'first', post('first'));
    const before = String((await repo.head())!.cid);
    await expect(stops[name]!(repo)).rejects.toMatchObject(errors[name]!);
    expect(scratchFiles(folder)).toEqual([]);
    expect(String((await repo.head())!.cid)).toBe(before);
    await repo.close();
    const again = await openRepo(folder, { signer: KEY });
    expect((await again.verify()).faults).toEqual([]);
    await again.put(POST, 'second', post('second'));
    await again.close();
  });

  test('a source in memory, or in a file, is not copied', async () => {
    for (const source of [car, new Blob([car as Uint8Array<ArrayBuffer>])]) {
      const { folder, repo } = await makeFolder();
      const seen: string[] = [];
      await repo.importCar(source, { onProgress: () => seen.push(...scratchFiles(folder)) });
      expect(seen).toEqual([]);
      await repo.close();
    }
  });
});
