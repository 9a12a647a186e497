import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import initSqlJs from 'sql.js';
import { cidToText, decodeCid } from '../../dist/index.js';
import { createRepo } from '../../dist/node.js';
import { verifyWithAtcute } from '../contenders/atcute.mjs';
import { readCarWithRoot, verifyRepoCar } from '../contenders/atproto.mjs';
import { framesOf } from '../contenders/frames.mjs';
import { natives, openNative } from '../contenders/native-blocks.mjs';

export const title = 'Import a CAR, durable on disk';
export const targets = {
  '@atcute + better-sqlite3': { 1000: 1, 100000: 2 },
  floor: { 100000: 1 },
};

const insertAll = (file, rows, driver = 'better-sqlite3') => {
  const native = openNative(file, natives[driver]);
  native.transact(() => {
    for (const [cid, bytes] of rows) native.put(cid, bytes);
  });
  native.close();
};

/** Makes a new folder for each run. */
const places = (input) => {
  const folder = input.scratch();
  let n = 0;
  return () => join(folder, String(n++));
};

const withAtcute = (driver) => ({
  does: `hashes, walk and signature as above, then all blocks into ${driver} in one transaction, flushed; closed`,
  skips: 'records against the data model',
  load: (input) => {
    const car = input.car();
    const next = places(input);
    return async () => {
      const { blocks } = await verifyWithAtcute(car, input.did, input.key);
      insertAll(next(), blocks, driver);
    };
  },
});

export const contenders = {
  pdsdb: {
    does: 'every hash, the whole tree, the signature, every record against the data model, missing blobs; one transaction, flushed; closed',
    skips: 'nothing',
    load: (input) => {
      const car = input.car();
      const next = places(input);
      return async () => {
        const repo = await createRepo(next(), { did: input.did });
        await repo.importCar(car, { key: input.key });
        await repo.close();
      };
    },
  },
  '@atproto/repo + better-sqlite3': {
    does: 'verifyRepoCar, then all blocks into better-sqlite3 in one transaction, flushed; closed',
    skips: 'all that verifyRepoCar skips',
    load: (input) => {
      const car = input.car();
      const next = places(input);
      return async () => {
        await verifyRepoCar(car, input.did, input.key);
        const { blocks } = await readCarWithRoot(car);
        const rows = [];
        blocks.forEach((bytes, cid) => rows.push([cid.toString(), bytes]));
        insertAll(next(), rows);
      };
    },
  },
  ...Object.fromEntries(Object.keys(natives).map((driver) => [`@atcute + ${driver}`, withAtcute(driver)])),
  '@atcute + sql.js': {
    does: 'the same into sql.js, with export() written to a file',
    skips: 'flushing the file',
    load: async (input) => {
      const car = input.car();
      const next = places(input);
      const SQL = await initSqlJs();
      return async () => {
        const { blocks } = await verifyWithAtcute(car, input.did, input.key);
        const db = new SQL.Database();
        db.run('create table blocks (key text primary key, value blob not null)');
        db.run('begin');
        const insert = db.prepare('insert into blocks values (?, ?)');
        for (const row of blocks) insert.run(row);
        insert.free();
        db.run('commit');
        writeFileSync(next(), db.export());
        db.close();
      };
    },
  },
  floor: {
    does: 'framing, one native SHA-256 of each block, all blocks into better-sqlite3 in one transaction, flushed; closed',
    skips: 'the tree, the commit, the signature, the records',
    load: (input) => {
      const car = input.car();
      const next = places(input);
      const rows = function* () {
        for (const { cid, digest, bytes } of framesOf(car)) {
          if (hash('sha256', bytes, 'buffer').compare(digest) !== 0) throw new Error('wrong hash');
          yield [cidToText(decodeCid(cid)), bytes];
        }
      };
      return () => insertAll(next(), rows());
    },
  },
};
