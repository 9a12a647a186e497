/** Finds the heads of other processes without `LISTEN`: reads the heads of repositories with listeners at fixed times. */
import type { CID } from '../../core/data/cid.ts';
import { cidEquals, decodeCid } from '../../core/data/cid.ts';
import { reportError } from '../../core/data/report-error.ts';
import { isRepoError } from '../../core/errors.ts';
import type { HeadMove } from '../../core/repo/read/other-heads.ts';
import { MAIN } from '../../core/repo/store-names.ts';
import { encodeText } from './repo-tables.ts';
import type { TableNames } from './schema.ts';
import type { SqlSession } from './sql-client.ts';
import { withSqlErrors } from './sql-errors.ts';

/** A head, or that there is none. */
interface Known {
  readonly head: CID | undefined;
}

/** One open repository. */
export class PolledHeads {
  /** Its number, in decimal. */
  readonly id: string;
  readonly #start: (heads: PolledHeads) => Promise<void>;
  readonly #stop: (heads: PolledHeads) => void;
  /** The head that the listeners know. `undefined` until the first poll. */
  #known: Known | undefined;
  #onMove: ((move: HeadMove) => void) | undefined;
  #isReady: Promise<void> | undefined;
  /** Changes of this owner that run, and that have ended. */
  #running = 0;
  #ended = 0;

  /** Use {@link HeadPoller.of}. */
  constructor(id: string, start: (heads: PolledHeads) => Promise<void>, stop: (heads: PolledHeads) => void) {
    this.id = id;
    this.#start = start;
    this.#stop = stop;
  }

  /** The source of the heads of others. */
  readonly otherHeads = (onMove: (move: HeadMove) => void): (() => void) => {
    this.#onMove = onMove;
    this.#isReady = this.#start(this);
    return () => {
      this.#onMove = undefined;
      this.#stop(this);
    };
  };

  /** Returns a session whose reads wait for the first poll. So a reader sees that head or a later, announced one. */
  after(session: SqlSession): SqlSession {
    return {
      query: async (text, parameters) => {
        await this.#isReady;
        return session.query(text, parameters);
      },
    };
  }

  /** Call it before a change of this owner. Call the result when the change has ended, with its move of the head. */
  begin(): (move?: HeadMove) => void {
    this.#running += 1;
    return (move) => {
      this.#running -= 1;
      this.#ended += 1;
      if (move !== undefined && this.#onMove !== undefined) {
        // The listeners hear of this move by the repository itself. What came before it, they may not know.
        if (this.#known !== undefined) {
          this.#announce(move.before);
        }
        this.#known = { head: move.after };
      }
    };
  }

  /** Returns how to take the result of a poll that begins now. */
  poll(): (head: CID | undefined) => void {
    const { ended, isRunning } = { ended: this.#ended, isRunning: this.#running > 0 };
    return (head) => {
      if (this.#known === undefined) {
        this.#known = { head };
      } else if (!isRunning && this.#running === 0 && this.#ended === ended) {
        this.#announce(head);
      }
      // Otherwise the head may be of this owner's change. The end of the change or the next poll tells.
    };
  }

  #announce(head: CID | undefined): void {
    const before = this.#known?.head;
    this.#known = { head };
    if (head !== undefined && !cidEquals(before, head)) {
      this.#onMove?.({ before, after: head });
    }
  }
}

export class HeadPoller {
  readonly #session: SqlSession;
  readonly #names: TableNames;
  readonly #intervalMs: number;
  readonly #watched = new Set<PolledHeads>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: Promise<void> = Promise.resolve();
  #isStopped = false;

  /** @param intervalMs Milliseconds between the end of a poll and the next one. */
  constructor(session: SqlSession, names: TableNames, intervalMs: number) {
    this.#session = withSqlErrors(session, 'reading the heads');
    this.#names = names;
    this.#intervalMs = intervalMs;
  }

  /** Returns the heads of a repository that is being opened. `id` is its number, in decimal. */
  of(id: string): PolledHeads {
    return new PolledHeads(
      id,
      (heads) => {
        this.#watched.add(heads);
        return this.#poll();
      },
      (heads) => void this.#watched.delete(heads),
    );
  }

  /** Waits for the poll that runs, and begins no other one. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#last;
  }

  /** Polls after the poll that runs, and then at fixed times for as long as there are listeners. Never rejects. */
  #poll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#last = this.#last.then(() => this.#readHeads());
    return this.#last;
  }

  async #readHeads(): Promise<void> {
    clearTimeout(this.#timer);
    const takers = [...this.#watched].map((heads) => [heads.id, heads.poll()] as const);
    if (takers.length === 0 || this.#isStopped) {
      return;
    }
    try {
      const rows = await this.#session.query(
        `select repo::text, cid from ${this.#names.refs} where repo = any($1::text::int8[]) and name = $2::bytea`,
        [`{${[...new Set(takers.map(([id]) => id))].join(',')}}`, encodeText(MAIN)],
      );
      const heads = new Map(rows.map(([id, cid]) => [id, decodeCid(cid as Uint8Array)]));
      takers.forEach(([id, take]) => take(heads.get(id)));
    } catch (error) {
      // The next poll asks again, and announces what came meanwhile.
      if (!isRepoError(error, 'StorageFailed')) {
        reportError(error);
      }
    }
    this.#timer = setTimeout(() => void this.#poll(), this.#intervalMs);
  }
}
