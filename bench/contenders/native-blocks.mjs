// Blocks in the same table as in pdsdb, with a native SQLite and the same durability: a WAL, and one flush per commit.
import { createRequire, isBuiltin } from 'node:module';
import Database from 'better-sqlite3';

const SCHEMA = 'create table if not exists blocks (key text primary key, value blob not null)';

/** Node has it from 22.5 on. */
export const hasNodeSqlite = isBuiltin('node:sqlite');

/** Names and options of the native SQLites that this Node has. */
export const natives = { 'better-sqlite3': {}, ...(hasNodeSqlite ? { 'node:sqlite': { isOfNode: true } } : {}) };

const openDatabase = (file, readonly, isOfNode) => {
  if (!isOfNode) {
    return new Database(file, { readonly });
  }
  const { DatabaseSync } = createRequire(import.meta.url)('node:sqlite');
  return new DatabaseSync(file, { readOnly: readonly });
};

export const openNative = (file, { readonly = false, isOfNode = false } = {}) => {
  const db = openDatabase(file, readonly, isOfNode);
  if (!readonly) {
    db.exec('pragma journal_mode = wal');
    db.exec('pragma synchronous = full');
    db.exec(SCHEMA);
  }
  const select = db.prepare('select value from blocks where key = ?');
  const insert = readonly
    ? undefined
    : db.prepare('insert into blocks (key, value) values (?, ?) on conflict (key) do nothing');
  return {
    db,
    get: (cid) => select.get(cid)?.value,
    put: (cid, bytes) => insert.run(cid, bytes),
    transact: (run) => {
      db.exec('begin immediate');
      run();
      db.exec('commit');
    },
    begin: () => db.exec('begin immediate'),
    commit: () => db.exec('commit'),
    close: () => db.close(),
  };
};
