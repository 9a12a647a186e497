/** Finds the heads of other processes without `LISTEN`: reads the heads of all repositories with listeners. */
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

/** One open repository. */
export class PolledHeads {
  /** Its number, in decimal. */
  readonly id: string;
  readonly #start: (heads: PolledHeads) => void;
  readonly #stop: (heads: PolledHeads) => void;
  /** The head of the opening, then the one that was announced last. So no head is missed before the first poll. */
  #known: CID | undefined;
  #onMove: ((move: HeadMove) => void) | undefined;
  /** Changes of this owner that run, and that have ended. */
  #running = 0;
  #ended = 0;

  /** Use {@link HeadPoller.of}. */
  constructor(
    id: string,
    known: CID | undefined,
    start: (heads: PolledHeads) => void,
    stop: (heads: PolledHeads) => void,
  ) {
    this.id = id;
    this.#known = known;
    this.#start = start;
    this.#stop = stop;
  }

  /** The source of the heads of others. */
  readonly otherHeads = (onMove: (move: HeadMove) => void): (() => void) => {
    this.#onMove = onMove;
    this.#start(this);
    return () => {
      this.#onMove = undefined;
      this.#stop(this);
    };
  };

  /** Call it before a change of this owner. Call the result when the change has ended, with its move of the head. */
  begin(): (move?: HeadMove) => void {
    this.#running += 1;
    return (move) => {
      this.#running -= 1;
      this.#ended += 1;
      if (move !== undefined) {
        // The listeners hear of this move by the repository itself. What came before it, they may not know.
        this.#announce(move.before);
        this.#known = move.after;
      }
    };
  }

  /** Returns how to take the result of a poll that begins now. */
  poll(): (head: CID | undefined) => void {
    const { ended, isRunning } = { ended: this.#ended, isRunning: this.#running > 0 };
    return (head) => {
      if (!isRunning && this.#running === 0 && this.#ended === ended) {
        this.#announce(head);
      }
      // Otherwise the head may be of this owner's change. The end of the change or the next poll tells.
    };
  }

  #announce(head: CID | undefined): void {
    const before = this.#known;
    this.#known = head;
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

  /**
   * Returns the heads of a repository that is being opened. `id` is its number, in decimal.
   * @throws {RepoError} `StorageFailed`.
   */
  async of(id: string): Promise<PolledHeads> {
    return new PolledHeads(
      id,
      (await this.#headsOf([id])).get(id),
      (heads) => {
        this.#watched.add(heads);
        this.#poll();
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
  #poll(): void {
    clearTimeout(this.#timer);
    this.#last = this.#last.then(() => this.#readHeads());
  }

  async #headsOf(ids: readonly string[]): Promise<ReadonlyMap<string, CID>> {
    const rows = await this.#session.query(
      `select repo::text, cid from ${this.#names.refs} where repo = any($1::text::int8[]) and name = $2::bytea`,
      [`{${ids.join(',')}}`, encodeText(MAIN)],
    );
    return new Map(rows.map(([id, cid]) => [id as string, decodeCid(cid as Uint8Array)]));
  }

  async #readHeads(): Promise<void> {
    clearTimeout(this.#timer);
    const takers = [...this.#watched].map((heads) => [heads.id, heads.poll()] as const);
    if (takers.length === 0 || this.#isStopped) {
      return;
    }
    try {
      const heads = await this.#headsOf([...new Set(takers.map(([id]) => id))]);
      takers.forEach(([id, take]) => take(heads.get(id)));
    } catch (error) {
      // The next poll asks again, and announces what came meanwhile.
      if (!isRepoError(error, 'StorageFailed')) {
        reportError(error);
      }
    }
    this.#timer = setTimeout(() => this.#poll(), this.#intervalMs);
  }
}
