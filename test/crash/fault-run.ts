/** A short workload in which one call of the storage fails, and the checks after it. */
import { CODEC_RAW, cidOfDigest, cidToText } from '../../src/core/data/cid.ts';
import { isRepoError } from '../../src/core/errors.ts';
import { MemoryBlobStore } from '../../src/core/storage/memory-blob-store.ts';
import { MemoryBlockStore } from '../../src/core/storage/memory-block-store.ts';
import type { Repo, WriteOp } from '../../src/core/repo/repo.ts';
import { repoOver } from '../../src/core/repo/local-repo.ts';
import { sha256 } from '../../src/core/data/sha256.ts';
import { readAll } from '../../src/core/data/streams.ts';
import type { Place } from './place.ts';
import { DID } from './workload.ts';

const THING = 'com.example.thing';

/** Creates of records that no other step touches. */
const creates = (rkeys: readonly string[], more: object = {}): WriteOp[] =>
  rkeys.map((rkey) => ({
    action: 'create',
    collection: THING,
    rkey,
    value: { $type: THING, text: rkey.repeat(50), ...more },
  }));

interface FaultStep {
  readonly name: string;
  /** The records that it creates: all of them are stored, or none. */
  readonly rkeys: readonly string[];
  run(repo: Repo): Promise<unknown>;
}

const blobBytes = new Uint8Array(5000).fill(7);
const blobCid = cidOfDigest(CODEC_RAW, sha256(blobBytes));

/**
 * Checks that reading a blob, and a search for damage, return bytes or an error. A read error is not reported as
 * damage.
 */
const readBlob = async (repo: Repo): Promise<void> => {
  const blob = await repo.getBlob(blobCid);
  if (blob?.size !== blobBytes.length) {
    throw new Error(`the blob is missing or has another size; size=${blob?.size}`);
  }
  const { steps: repairs } = await repo.repair({ dryRun: true });
  if (repairs.length > 0) {
    throw new Error(`repair reports damage in a valid repository: ${repairs[0]!.message}`);
  }
};

const steps: readonly FaultStep[] = [
  { name: 'write', rkeys: ['a'], run: (repo) => repo.write(creates(['a'])) },
  {
    name: 'write with a blob',
    rkeys: ['b'],
    run: async (repo) =>
      repo.write(creates(['b'], { picture: await repo.putBlob(blobBytes, { mimeType: 'image/png' }) })),
  },
  { name: 'read the blob', rkeys: [], run: readBlob },
  {
    name: 'write many',
    rkeys: ['c', 'd', 'e'],
    run: (repo) => repo.write(creates(['c', 'd', 'e']), { message: 'three' }),
  },
  {
    name: 'import',
    rkeys: ['f', 'g'],
    run: async (repo) => {
      const other = repoOver({ did: DID, store: new MemoryBlockStore(), blobs: new MemoryBlobStore() });
      await other.importCar(await readAll(repo.exportCar()), { allowUnsigned: true });
      await other.write(creates(['f', 'g']));
      await repo.importCar(await readAll(other.exportCar()), { allowUnsigned: true });
      await other.close();
    },
  },
  {
    name: 'gc',
    rkeys: [],
    run: async (repo) => repo.putBlob(new Uint8Array(100)).then(() => repo.gc({ blobs: true, blobAge: 0 })),
  },
  {
    name: 'two writes at once',
    rkeys: ['i', 'j'],
    run: (repo) => Promise.all([repo.write(creates(['i'])), repo.write(creates(['j']))]),
  },
  { name: 'write once more', rkeys: ['h'], run: (repo) => repo.write(creates(['h'])) },
];

export interface FaultOutcome {
  /** One sentence per fault. */
  readonly wrong: string[];
  /** The step that met the injected fault, if any. */
  readonly met: string | undefined;
}

/**
 * Runs the workload, and closes and opens once in the middle. A rejected step is repeated. If it rejects again, the
 * repository is closed and opened, and the step is repeated once more.
 * @param hasFailed Whether the fault was injected. If it was not, nothing is checked.
 * @param heal Ends the injected fault.
 */
export const runWithFault = async (place: Place, hasFailed: () => boolean, heal: () => void): Promise<FaultOutcome> => {
  const wrong: string[] = [];
  const acknowledged = new Set<string>();
  const tried = new Set<string>();
  let met: string | undefined;
  let repo: Repo | undefined;

  /** Returns whether the step resolved. Checks its error. */
  const attempt = async (name: string, run: () => Promise<unknown>): Promise<boolean> => {
    try {
      await run();
      return true;
    } catch (error) {
      met ??= name;
      if (!isRepoError(error)) {
        wrong.push(`${name} rejects with ${error instanceof Error ? `${error.name}: ${error.message}` : typeof error}`);
      } else if (
        ![
          'StorageFailed',
          'StorageFull',
          'Closed',
          'RepoNotFound',
          'RepoExists',
          'RecordExists',
          'HeadNotFound',
        ].includes(error.code)
      ) {
        wrong.push(`${name} rejects with ${error.code}: ${error.message}`);
      }
      return false;
    }
  };
  const close = async (): Promise<void> => {
    const closing = repo;
    repo = undefined;
    if (closing !== undefined) {
      await attempt('close', () => closing.close());
    }
  };
  const open = async (): Promise<boolean> =>
    repo !== undefined ||
    (await attempt('open', async () => (repo = await place.open()))) ||
    (await attempt('create', async () => (repo = await place.open(DID))));
  const perform = async (step: FaultStep): Promise<boolean> => {
    tried.add(step.name);
    const done = (await open()) && (await attempt(step.name, () => step.run(repo!)));
    if (done) {
      acknowledged.add(step.name);
    }
    return done;
  };

  await attempt('create', async () => (repo = await place.open(DID)));
  for (const [i, step] of steps.entries()) {
    if (!(await perform(step)) && !(await perform(step))) {
      await close();
      await perform(step);
    }
    if (i === 3) {
      await close();
    }
  }
  await close();
  if (!hasFailed()) {
    return { wrong, met };
  }

  heal();
  const left = place.remaining().filter((name) => /open files|^a lock/.test(name));
  wrong.push(...left.map((name) => `after closing there is left: ${name}`));
  if (await open()) {
    await check(repo!, acknowledged, tried, wrong);
    if (!(await attempt('a write after all', () => repo!.put(THING, 'z', { $type: THING })))) {
      wrong.push('it cannot be written to');
    }
  } else {
    wrong.push('it cannot be opened');
  }
  await close();
  wrong.push(...place.remaining().map((name) => `after closing again there is left: ${name}`));
  return { wrong, met };
};

const check = async (
  repo: Repo,
  acknowledged: ReadonlySet<string>,
  tried: ReadonlySet<string>,
  wrong: string[],
): Promise<void> => {
  for (const { name, rkeys } of steps) {
    const there = (await Promise.all(rkeys.map((rkey) => repo.get(THING, rkey)))).filter(
      (record) => record !== undefined,
    ).length;
    if (acknowledged.has(name) && there < rkeys.length) {
      wrong.push(`${name} was acknowledged and is lost`);
    } else if (there > 0 && there < rkeys.length) {
      wrong.push(`${name} is incomplete`);
    } else if (there > 0 && !tried.has(name)) {
      wrong.push(`${name} was never asked for`);
    }
  }
  wrong.push(...(await repo.verify()).faults.map(({ message }) => message));
  for await (const { cid } of repo.missingBlobs()) {
    wrong.push(`a blob is mentioned and missing; cid=${cidToText(cid)}`);
  }
};
