// Blocks in the same table as in pdsdb, with better-sqlite3 and the same durability: a WAL, and one flush per commit.
import Database from 'better-sqlite3';

const SCHEMA = 'create table if not exists blocks (key text primary key, value blob not null)';

export const openNative = (file, options = {}) => {
  const db = new Database(file, options);
  if (!options.readonly) {
    db.pragma('journal_mode = wal');
    db.pragma('synchronous = full');
    db.exec(SCHEMA);
  }
  const select = db.prepare('select value from blocks where key = ?').pluck();
  const insert = options.readonly
    ? undefined
    : db.prepare('insert into blocks (key, value) values (?, ?) on conflict (key) do nothing');
  return {
    db,
    get: (cid) => select.get(cid),
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
