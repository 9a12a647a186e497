/**
 * Reads from a standby, which may lag behind the primary. No read shows an older state of a repository than a write or
 * a read of this process before it.
 *
 * The first read of a repository goes to the standby, whose state only moves forward. After a write, reads go to the
 * primary until the standby has replayed everything that the primary had after the last of them. This check costs two
 * round trips from time to time, and other reads cost nothing more.
 */
import { pause } from '../../core/data/pause.ts';
import type { SqlParameter, SqlRow, SqlSession } from './sql-client.ts';

/** A repository whose reads go to the primary. */
interface Ahead {
  /** Counts writes, and reads of the primary. */
  version: number;
  readonly running: Set<Promise<unknown>>;
  /** When the standby is asked next, in milliseconds of `Date.now`. */
  nextCheck: number;
  pauseMs: number;
  check: Promise<void> | undefined;
}

/** The pause before the first check after a write, and the longest one. A standby is usually milliseconds behind. */
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 5000;
/** The longest check, in milliseconds. Reads wait for it. */
const CHECK_TIMEOUT_MS = 1000;
/** Repositories that were written to and not read since. With more, a write starts a check. */
const MAX_AHEAD = 10_000;

export class ReplicaReads {
  readonly #primary: SqlSession;
  readonly #standby: SqlSession;
  /** By the number of the repository. */
  readonly #ahead = new Map<string, Ahead>();

  constructor(primary: SqlSession, standby: SqlSession) {
    this.#primary = primary;
    this.#standby = standby;
  }

  /** Returns the session for reads of a repository outside of changes. `id` is its number, in decimal. */
  of(id: string): SqlSession {
    return { query: (text, parameters) => this.#query(id, text, parameters) };
  }

  /** Call it after a write, or when a state of the primary is known: later reads show at least that state. */
  wrote(id: string): void {
    const known = this.#ahead.get(id);
    if (known !== undefined) {
      known.version += 1;
      return;
    }
    const ahead: Ahead = {
      version: 0,
      running: new Set(),
      nextCheck: Date.now() + FIRST_PAUSE_MS,
      pauseMs: FIRST_PAUSE_MS,
      check: undefined,
    };
    this.#ahead.set(id, ahead);
    if (this.#ahead.size > MAX_AHEAD) {
      void this.#checkDue(ahead);
    }
  }

  async #query(id: string, text: string, parameters?: readonly SqlParameter[]): Promise<readonly SqlRow[]> {
    const before = this.#ahead.get(id);
    if (before !== undefined) {
      await this.#checkDue(before);
    }
    if (!this.#ahead.has(id)) {
      try {
        return await this.#standby.query(text, parameters);
      } catch {
        // It is away, or has canceled the statement because of a conflict with what it replays. The primary decides.
        this.wrote(id);
      }
    }
    // A write of this process may have come meanwhile, and a check may have ended.
    const ahead = this.#ahead.get(id);
    if (ahead === undefined) {
      return this.#query(id, text, parameters);
    }
    const running = this.#primary.query(text, parameters);
    ahead.running.add(running);
    try {
      return await running;
    } finally {
      ahead.running.delete(running);
      ahead.version += 1;
    }
  }

  /** Checks the standby if it is time. Reads of the repository wait meanwhile, so that they do not move the goal. */
  async #checkDue(ahead: Ahead): Promise<void> {
    if (ahead.check === undefined && Date.now() < ahead.nextCheck) {
      return;
    }
    ahead.check ??= this.#check(ahead).finally(() => {
      ahead.check = undefined;
    });
    await ahead.check;
  }

  async #check(ahead: Ahead): Promise<void> {
    await Promise.allSettled(ahead.running);
    const versions = [...this.#ahead]
      .filter(([, { running }]) => running.size === 0)
      .map(([id, one]) => [id, one, one.version] as const);
    const end = new AbortController();
    const timeout = pause(CHECK_TIMEOUT_MS, end.signal).then(
      () => false,
      () => false,
    );
    const hasCaughtUp = await Promise.race([this.#hasCaughtUp(), timeout]);
    end.abort();
    if (hasCaughtUp) {
      for (const [id, one, version] of versions) {
        if (one.version === version && one.running.size === 0) {
          this.#ahead.delete(id);
        }
      }
    }
    ahead.pauseMs = Math.min(2 * ahead.pauseMs, MAX_PAUSE_MS);
    ahead.nextCheck = Date.now() + ahead.pauseMs;
  }

  /** Returns whether the standby has everything that the primary has now. */
  async #hasCaughtUp(): Promise<boolean> {
    try {
      const [now] = await this.#primary.query('select pg_current_wal_insert_lsn()::text');
      const [replayed] = await this.#standby.query(
        'select coalesce(pg_last_wal_replay_lsn() >= $1::text::pg_lsn, false)::text',
        [now![0] as string],
      );
      return replayed![0] === 'true';
    } catch {
      // Without one of the servers, reads stay at the primary.
      return false;
    }
  }
}
