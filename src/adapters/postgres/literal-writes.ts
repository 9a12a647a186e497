/**
 * The writes at the end of a change as statements without parameters, which run in one round trip with the commit. Each
 * is as simple as possible, because the server plans it each time.
 */
import type { CID } from '../../core/data/cid.ts';
import { CID_LENGTH } from '../../core/data/cid.ts';
import type { PendingWrites } from '../../core/storage/pending-reads.ts';
import { MAIN } from '../../core/repo/store-names.ts';
import type { NoticeTarget } from './head-notices.ts';
import { insertStatement } from './insert-blocks.ts';
import { encodeText } from './repo-tables.ts';
import type { TableNames } from './schema.ts';
import { bytesLiteral, literalOf } from './sql-literals.ts';

/** Most bytes of names and values, and most bytes of blocks. Their literals take twice as many. */
export const MAX_LITERALS: number = 64 * 1024;

const REV_LENGTH = 13;

/** Returns the number of characters in names and values. A CID has 36 bytes. */
export const sizeOfWrites = ({ refs, meta, commits }: PendingWrites): number => {
  let size = CID_LENGTH * (refs.size + commits.size) + REV_LENGTH * commits.size;
  for (const name of refs.keys()) {
    size += name.length;
  }
  for (const [name, value] of meta) {
    size += name.length + (value?.length ?? 0);
  }
  return size;
};

/** Returns the expression that notifies of a new head. It reads the ref, which must have the head before. */
export const noticeExpression = (
  { refs }: TableNames,
  repo: string,
  { channel, sender }: NoticeTarget,
  head: CID,
): string => {
  const before = `(select encode(cid, 'hex') from ${refs} where repo = ${BigInt(repo)} and name = ${bytesLiteral(encodeText(MAIN))})`;
  return `pg_notify(${literalOf(channel)}, ${literalOf(`${sender} ${repo} `)} || coalesce(${before}, '-')
    || ' ' || encode(${bytesLiteral(head.bytes)}, 'hex'))::text`;
};

/** Returns the statements that apply the writes to one table of names: removals, and new values. */
const namedStatements = <V>(
  table: string,
  [key, value]: readonly [key: string, value: string],
  repo: string,
  writes: ReadonlyMap<string, V | undefined>,
  literal: { key(name: string): string; value(to: V): string },
): string[] => {
  const removed: string[] = [];
  const set: string[] = [];
  for (const [name, to] of writes) {
    if (to === undefined) {
      removed.push(literal.key(name));
    } else {
      set.push(`(${BigInt(repo)}, ${literal.key(name)}, ${literal.value(to)})`);
    }
  }
  return [
    ...(removed.length === 0
      ? []
      : [`delete from ${table} where repo = ${BigInt(repo)} and ${key} in (${removed.join(', ')})`]),
    ...(set.length === 0
      ? []
      : [
          `insert into ${table} (repo, ${key}, ${value}) values ${set.join(', ')}
          on conflict (repo, ${key}) do update set ${value} = excluded.${value}`,
        ]),
  ];
};

/**
 * Returns the statements, separated by semicolons, or `undefined` if nothing is written. Removed blocks are left out.
 */
export const literalWrites = (
  names: TableNames,
  repo: string,
  { refs, meta, commits, staged }: PendingWrites,
  notice: NoticeTarget | undefined,
): string | undefined => {
  const bytesOfText = (text: string): string => bytesLiteral(encodeText(text));
  const bytesOfCid = ({ bytes }: CID): string => bytesLiteral(bytes);
  const head = refs.get(MAIN);
  const statements = [
    ...(staged.size === 0 ? [] : [insertStatement(names, repo, [...staged.values()])]),
    // First, because it reads the ref with the head before.
    ...(notice === undefined || head === undefined ? [] : [`select ${noticeExpression(names, repo, notice, head)}`]),
    ...namedStatements(names.refs, ['name', 'cid'], repo, refs, { key: bytesOfText, value: bytesOfCid }),
    ...namedStatements(names.meta, ['name', 'value'], repo, meta, { key: bytesOfText, value: bytesOfText }),
    ...namedStatements(names.commits, ['rev', 'cid'], repo, commits, { key: literalOf, value: bytesOfCid }),
  ];
  return statements.length === 0 ? undefined : statements.join('; ');
};
