/** What a lock file says: who holds the repository. One line of JSON. */
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import { errorName } from '../../core/data/platform-values.ts';

/** `unknown`: it cannot be found out from here, and then nobody's lock is taken. */
export type Liveness = 'alive' | 'gone' | 'unknown';

/** A thread of a process. What a runtime does not know, or may not know, it leaves out. */
export interface LockHolder {
  readonly pid: number;
  readonly runtime: 'bun' | 'deno' | 'node';
  /** When the process started, in the system's own count: tells it from a later one with the same pid. */
  readonly started?: string | undefined;
  /** Tells this run of the machine from the ones before. */
  readonly boot?: string | undefined;
  readonly host?: string | undefined;
  /** The namespace in which the pid counts, where there are such (containers). */
  readonly namespace?: string | undefined;
  /** The thread of the system that the holder is, and when it started, as `4754:1830282`. */
  readonly thread?: string | undefined;
  /** The lock file itself carries an flock for as long as the holder lives. */
  readonly flock?: boolean | undefined;
}

export interface LockRecord extends LockHolder {
  /** 32 random hexadecimal digits. */
  readonly token: string;
  /** When the file was created, as the file system told it. */
  readonly madeMs: number;
  /** The lock file as its file system numbers it. A copy of it has another number. */
  readonly file?: string | undefined;
  /** A hash of the path of the folder. */
  readonly place?: string | undefined;
  /** By which the holder has the lock file open, where its runtime closes what a thread leaves open. */
  readonly descriptor?: number | undefined;
  /** The creator has given it up before it was the owner. */
  readonly withdrawn?: boolean | undefined;
}

const TOKEN = /^[0-9a-f]{32}$/;
const RUNTIMES: readonly unknown[] = ['bun', 'deno', 'node'];
const TEXTS = ['started', 'boot', 'host', 'namespace', 'thread', 'file', 'place'] as const;

export const createToken = (): string => bytesToHex(randomBytes(16));

export const formatLock = (record: LockRecord): string => `${JSON.stringify(record)}\n`;

/** The record of a lock file's text, or `undefined` when it is not one: cut short, empty, or something else. */
export const parseLock = (text: string): LockRecord | undefined => {
  // A record is written with its line end in one piece: without it, the rest may be on its way.
  if (!text.endsWith('}\n')) {
    return undefined;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (errorName(error) === 'SyntaxError') {
      return undefined;
    }
    throw error;
  }
  const record = value as Partial<LockRecord> | null;
  const isRecord =
    typeof record === 'object' &&
    record !== null &&
    typeof record.token === 'string' &&
    TOKEN.test(record.token) &&
    Number.isSafeInteger(record.madeMs) &&
    record.madeMs! >= 0 &&
    RUNTIMES.includes(record.runtime) &&
    // Signals to 0 and below go to groups of processes.
    Number.isSafeInteger(record.pid) &&
    record.pid! > 0 &&
    (record.descriptor === undefined || (Number.isInteger(record.descriptor) && record.descriptor >= 0)) &&
    TEXTS.every((key) => record[key] === undefined || typeof record[key] === 'string');
  return isRecord ? (record as LockRecord) : undefined;
};

/** A holder in words. */
export const describeHolder = (holder: LockHolder): string =>
  `${holder.runtime} pid=${holder.pid} host=${holder.host ?? 'unknown'}`;
