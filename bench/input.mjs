// The input of the operations: for each size one CAR, its key, and the pds.db of its import.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importKey } from '../dist/index.js';
import { createRepo } from '../dist/node.js';
import { sampleAccount, seeded } from './sample-account.mjs';

const folder = fileURLToPath(new URL('out/', import.meta.url));

/** The key of every sample. It is not a secret. */
export const SECRET = '2b'.repeat(32);
export const DID = 'did:plc:benchbenchbenchbenchbe22';
export const signer = importKey(SECRET);

const places = (size) => ({
  car: join(folder, `${size}.car`),
  facts: join(folder, `${size}.json`),
  repo: join(folder, `${size}-repo`),
});

/** Makes the input of a size, if it is missing. */
export const makeInput = async (size) => {
  const { car, facts, repo } = places(size);
  if (existsSync(facts) && existsSync(join(repo, 'pds.db'))) {
    return;
  }
  mkdirSync(folder, { recursive: true });
  rmSync(repo, { recursive: true, force: true });
  const { pieces, head, data, paths } = await sampleAccount(size, { did: DID, signer });
  const file = openSync(car, 'w');
  let batch = [];
  for (const piece of pieces()) {
    if (batch.push(piece) === 4096) {
      writeSync(file, Buffer.concat(batch));
      batch = [];
    }
  }
  writeSync(file, Buffer.concat(batch));
  closeSync(file);
  const db = await createRepo(repo, { did: DID });
  await db.importCar(new Blob([readFileSync(car)]), { key: signer.did() });
  await db.close();
  writeFileSync(facts, JSON.stringify({ size, head, data, paths }));
};

/** Returns the input of a size for the operations. */
export const readInput = (size) => {
  const { car, facts, repo } = places(size);
  const known = JSON.parse(readFileSync(facts, 'utf8'));
  /** Returns a folder that is removed when the process ends. */
  const scratch = () => {
    const path = mkdtempSync(join(tmpdir(), 'pdsdb-bench-'));
    process.on('exit', () => rmSync(path, { recursive: true, force: true }));
    return path;
  };
  let copy;
  return {
    ...known,
    scratch,
    /** The repository, in a copy of its own, because the contenders run beside each other. */
    get repo() {
      if (copy === undefined) {
        copy = join(scratch(), 'repo');
        cpSync(repo, copy, { recursive: true });
      }
      return copy;
    },
    carFile: car,
    did: DID,
    key: signer.did(),
    signer,
    car: () => new Uint8Array(readFileSync(car)),
    /** Returns random paths. */
    randomPaths: (count, seed) => {
      const random = seeded(seed);
      return Array.from({ length: count }, () => known.paths[Math.floor(random() * known.paths.length)]);
    },
    /** Returns a writable copy of the repository. */
    copyRepo: (to) => cpSync(repo, to, { recursive: true }),
  };
};
