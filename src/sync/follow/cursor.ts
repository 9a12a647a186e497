/** How far a copy has followed the messages of a host. */
import type { Repo } from '../../core/repo/repo.ts';
import type { MetaValues } from '../../core/repo/write/meta.ts';
import { storedJson } from '../pull/stored-json.ts';

/** The value in `Repo.meta`. It is set in the transaction that applies a message. */
const NAME = 'app:sync:cursor';

/** Numbers of messages have a meaning only at their host. */
interface Cursor {
  readonly host: string;
  readonly seq: number;
}

/** Returns the number of the last message of this host that the copy has. */
export const cursorAt = async (repo: Repo, host: string): Promise<number | undefined> => {
  const cursor = (await storedJson(repo, NAME)) as Partial<Cursor> | null | undefined;
  return cursor?.host === host && Number.isSafeInteger(cursor.seq) ? cursor.seq : undefined;
};

/** Returns the value to set together with the head. */
export const cursorMeta = (host: string, seq: number | undefined): MetaValues => ({
  [NAME]: seq === undefined ? null : JSON.stringify({ host, seq }),
});

export const saveCursor = async (repo: Repo, host: string, seq: number | undefined): Promise<void> => {
  await repo.meta.set(NAME, cursorMeta(host, seq)[NAME] ?? undefined);
};
