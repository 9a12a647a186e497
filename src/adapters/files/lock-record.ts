/** The record in a lock file: the holder of the repository, as one line of JSON. */
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import { errorName } from '../../core/data/platform-values.ts';

/** `unknown`: this process cannot check it, so the lock counts as held. */
export type Liveness = 'alive' | 'gone' | 'unknown';

/** A thread of a process. Fields that the runtime cannot read are absent. */
export interface LockHolder {
  readonly pid: number;
  readonly runtime: 'bun' | 'deno' | 'node';
  /** The start time of the process, in the system's unit. A later process with the same pid has another one. */
  readonly started?: string | undefined;
  /** The boot id of the machine. */
  readonly boot?: string | undefined;
  readonly host?: string | undefined;
  /** The pid namespace (containers). */
  readonly namespace?: string | undefined;
  /** The id and the start time of the system thread, such as `4754:1830282`. */
  readonly thread?: string | undefined;
  /** Whether the lock file has an flock while the holder runs. */
  readonly flock?: boolean | undefined;
}

export interface LockRecord extends LockHolder {
  /** 32 random hexadecimal digits. */
  readonly token: string;
  /** The creation time of the file in the file system, in milliseconds since 1970. */
  readonly madeMs: number;
  /** Device and inode number of the lock file. A copy has other ones. */
  readonly file?: string | undefined;
  /** A hash of the path of the folder. */
  readonly place?: string | undefined;
  /** The holder's descriptor of the lock file, if the runtime closes it at the end of the thread. */
  readonly descriptor?: number | undefined;
  /** The creator has given up this lock file. */
  readonly withdrawn?: boolean | undefined;
}

const TOKEN = /^[0-9a-f]{32}$/;
const RUNTIMES: readonly unknown[] = ['bun', 'deno', 'node'];
const TEXTS = ['started', 'boot', 'host', 'namespace', 'thread', 'file', 'place'] as const;

export const createToken = (): string => bytesToHex(randomBytes(16));

export const formatLock = (record: LockRecord): string => `${JSON.stringify(record)}\n`;

/** Parses the text of a lock file. Returns `undefined` if it is not a complete record. */
export const parseLock = (text: string): LockRecord | undefined => {
  // A record ends with a line break. Without one, it is still being written.
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
    // A pid of 0 or below would address a group of processes.
    Number.isSafeInteger(record.pid) &&
    record.pid! > 0 &&
    (record.descriptor === undefined || (Number.isInteger(record.descriptor) && record.descriptor >= 0)) &&
    TEXTS.every((key) => record[key] === undefined || typeof record[key] === 'string');
  return isRecord ? (record as LockRecord) : undefined;
};

/** Describes a holder, for a message. */
export const describeHolder = (holder: LockHolder): string =>
  `${holder.runtime} pid=${holder.pid} host=${holder.host ?? 'unknown'}`;
