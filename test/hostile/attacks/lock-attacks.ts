/** Chains of locks whose owners have died, and WAL files of other databases. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { successorOf } from '../../../src/adapters/files/lock-names.ts';
import type { LockRecord } from '../../../src/adapters/files/lock-record.ts';
import { formatLock, parseLock } from '../../../src/adapters/files/lock-record.ts';
import { createRepo } from '../../../src/node.ts';
import { DID } from '../../../src/testing/repo/harness.ts';
import { contentOf } from '../folder-content.ts';
import type { Attack, AttackClass } from './attack.ts';
import { makePosts, use } from './attack.ts';
import { leaveInLog } from './leave-in-log.ts';

const MADE = 1_700_000_000_000;

/** A lock of this process, without the identity of its file. The process ends before the lock is read. */
export const deadLock = async (folder: string, token = 'a'): Promise<string> => {
  const scratch = join(folder, 'scratch');
  const repo = await createRepo(scratch, { did: DID });
  const { file: _file, place: _place, ...own } = parseLock(readFileSync(join(scratch, 'pds.lock'), 'utf8'))!;
  await repo.close();
  rmSync(scratch, { recursive: true });
  const record: LockRecord = { ...own, madeMs: MADE, token: token.repeat(32) };
  return formatLock(record);
};

/** A repository with `count` locks, each the successor of the previous one. */
const chain =
  (count: number, text: (dead: string, i: number) => string = (dead) => dead): Attack['make'] =>
  async (folder) => {
    await makePosts(folder);
    const dead = await deadLock(folder);
    let name = 'pds.lock';
    for (let i = 0; i < count; i++) {
      writeFileSync(join(folder, name), text(dead, i));
      name = successorOf(name, MADE);
    }
  };

/** The WAL of another database beside `pds.db`. SQLite would read its pages. */
const foreignLog =
  (...statements: readonly string[]): Attack['make'] =>
  async (folder) => {
    const other = join(folder, 'other');
    await makePosts(folder);
    mkdirSync(other);
    await leaveInLog(other, statements);
    copyFileSync(join(other, 'pds.db-wal'), join(folder, 'pds.db-wal'));
    rmSync(other, { recursive: true });
  };

/** Opens the folder. Returns the result, and whether the opening has changed a file. */
const openUnchanged: Attack['run'] = async (folder) => {
  const before = contentOf(folder).join('\n');
  const end = await use(folder);
  return `${end}, ${contentOf(folder).join('\n') === before ? 'unchanged' : 'changed'}`;
};

export const lockAttacks: AttackClass = {
  name: 'Locks and logs',
  attacks: [
    ...[2, 24, 300, 999].map(
      (count): Attack => ({
        name: `${count} locks of dead owners`,
        make: chain(count),
        run: use,
        end: 'sound',
      }),
    ),
    { name: '1,001 locks of dead owners', make: chain(1001), run: use, end: 'StorageFailed' },
    {
      name: '24 locks, the last one of 100 MB',
      make: chain(24, (dead, i) => (i === 23 ? 'a'.repeat(100_000_000) : dead)),
      run: use,
      end: 'sound',
    },
    {
      name: 'a lock with the pid of a process group',
      make: chain(1, (dead) => dead.replace(/"pid":\d+/, '"pid":-1')),
      run: use,
      end: 'sound',
    },
    {
      name: 'the WAL of another database',
      make: foreignLog('create table notes (text)'),
      run: openUnchanged,
      end: 'Corrupt, unchanged',
    },
    {
      name: 'a WAL with an empty table that has the name of ours',
      make: foreignLog('create table meta (key TEXT PRIMARY KEY, value BLOB NOT NULL)'),
      run: openUnchanged,
      end: 'Corrupt, unchanged',
    },
  ],
};
