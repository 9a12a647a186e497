/** Notices of new heads between processes, by `LISTEN` and `NOTIFY`. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { decodeCid } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';
import type { HeadMove, OtherHeads } from '../../core/repo/read/other-heads.ts';
import type { SqlClient } from './sql-client.ts';
import { toSqlError } from './sql-errors.ts';

/** How a change sends a notice: `<sender> <repository> <head before, or -> <head>`, with the CIDs in hexadecimal. */
export interface NoticeTarget {
  readonly channel: string;
  /** Tells the notices of one open repository from those of others, also in the same process. */
  readonly sender: string;
}

/** The notices of one open repository. */
export interface RepoNotices {
  readonly target: NoticeTarget;
  readonly otherHeads: OtherHeads;
}

interface Listener {
  readonly sender: string;
  onMove(move: HeadMove): void;
}

const NO_HEAD = '-';
const SENDER_LENGTH = 8;

const cidOfHex = (hex: string): HeadMove['after'] => decodeCid(hexToBytes(hex));

export class HeadNotices {
  readonly #client: SqlClient;
  readonly #channel: string;
  /** By the number of the repository. */
  readonly #listeners = new Map<string, Set<Listener>>();
  #stop: Promise<() => Promise<void>> | undefined;

  /** @throws {RepoError} `Unsupported` if the client has no `listen`. */
  constructor(client: SqlClient, channel: string) {
    if (client.listen === undefined) {
      throw new RepoError('Unsupported', 'the client has no LISTEN: leave out notify, or pass a client with listen');
    }
    this.#client = client;
    this.#channel = channel;
  }

  /** Listens, once. @throws {RepoError} `StorageFailed`. */
  async start(): Promise<void> {
    this.#stop ??= this.#client.listen!(this.#channel, (payload) => this.#take(payload));
    try {
      await this.#stop;
    } catch (error) {
      this.#stop = undefined;
      throw toSqlError(error, 'listening for new heads');
    }
  }

  /** Returns the notices of a repository that is being opened. `id` is its number, in decimal. */
  of(id: string): RepoNotices {
    const sender = bytesToHex(crypto.getRandomValues(new Uint8Array(SENDER_LENGTH)));
    return {
      target: { channel: this.#channel, sender },
      otherHeads: (onMove) => {
        const listeners = this.#listeners.get(id) ?? new Set();
        const listener = { sender, onMove };
        this.#listeners.set(id, listeners.add(listener));
        return () => {
          listeners.delete(listener);
          if (listeners.size === 0 && this.#listeners.get(id) === listeners) {
            this.#listeners.delete(id);
          }
        };
      },
    };
  }

  async stop(): Promise<void> {
    await (await this.#stop)?.();
  }

  #take(payload: string): void {
    const [sender, id, before, after] = payload.split(' ');
    const listeners = id === undefined ? undefined : this.#listeners.get(id);
    if (listeners === undefined || before === undefined || after === undefined) {
      return;
    }
    const move: HeadMove = { before: before === NO_HEAD ? undefined : cidOfHex(before), after: cidOfHex(after) };
    // The sender has notified its own listeners when the change ended.
    [...listeners].filter((listener) => listener.sender !== sender).forEach((listener) => listener.onMove(move));
  }
}
