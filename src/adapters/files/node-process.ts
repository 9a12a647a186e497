/**
 * Describes this process and thread for a lock file, and checks whether another holder still runs. For Node and Bun.
 */
import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCodeOf } from '../../core/storage/storage-error.ts';
import type { Liveness, LockHolder, LockRecord } from './lock-record.ts';
import { macBoot, macStat } from './mac-process.ts';

/** The process files of Linux. Other systems do not have them. */
const PROC = '/proc';

const readProc = (read: (path: string) => string, path: string): string | undefined => {
  try {
    return read(`${PROC}/${path}`).trim();
  } catch (error) {
    // Another system, a process that has ended, or a sandbox: the value is unknown.
    if (systemCodeOf(error) !== undefined) {
      return undefined;
    }
    throw error;
  }
};

const readText = (path: string): string => readFileSync(path, 'latin1');
const readLink = (path: string): string => readlinkSync(path);

/**
 * Parses the state and the start time: fields 3 and 22 of the line. Field 2 is the command's name, which may contain
 * `)`.
 */
const parseStat = (line: string | undefined): ProcessStat | undefined => {
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields?.[0], fields?.[19]];
  return state === undefined || started === undefined ? undefined : { state, started };
};

const linuxStat = (pid: number): ProcessStat | undefined => parseStat(readProc(readText, `${pid}/stat`));

/** The same for a thread. Returns `gone` only if the thread is missing; other errors, such as EMFILE, mean unknown. */
const linuxThreadStat = (pid: number, thread: string): ProcessStat | 'gone' | undefined => {
  try {
    return parseStat(readText(`${PROC}/${pid}/task/${thread}/stat`).trim());
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === undefined) {
      throw error;
    }
    return code === 'ENOENT' || code === 'ESRCH' ? 'gone' : undefined;
  }
};

/** Returns this thread for a lock file. In Node and Bun, each worker is one thread of the system. */
const thisThread = (): string | undefined => {
  const [, pid, thread] = /^(\d+)\/task\/(\d+)$/.exec(readProc(readLink, 'thread-self') ?? '') ?? [];
  const stat = thread === undefined ? undefined : linuxThreadStat(Number(pid), thread);
  return typeof stat === 'object' ? `${thread}:${stat.started}` : undefined;
};

/** Returns the id of a file. Without the volume on Windows, where two calls return different volume numbers. */
export const idOf = ({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string =>
  process.platform === 'win32' ? String(ino) : `${dev}:${ino}`;

const openFile = (descriptor: number): string | 'gone' | undefined => {
  try {
    return idOf(fstatSync(descriptor, { bigint: true }));
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === undefined) {
      throw error;
    }
    return code === 'EBADF' ? 'gone' : undefined;
  }
};

interface ProcessStat {
  /** `Z` for a zombie: a process that has ended, and whose parent has not read its status. */
  readonly state: string;
  readonly started: string;
}

/** What the operating system provides about processes. */
export interface Processes {
  readonly self: LockHolder;
  /** Whether pids belong to a namespace. */
  readonly hasNamespaces: boolean;
  isThere(pid: number): boolean;
  /** Returns `undefined` if the system does not provide it. */
  statOf(pid: number): ProcessStat | undefined;
  threadStat(pid: number, thread: string): ProcessStat | 'gone' | undefined;
  /** Returns the id of the file that this process has open under a descriptor. */
  openFile(descriptor: number): string | 'gone' | undefined;
}

const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'ESRCH') {
      return false;
    }
    // EPERM: the process exists and belongs to another user.
    if (systemCodeOf(error) === 'EPERM') {
      return true;
    }
    throw error;
  }
};

/**
 * Read once, because it does not change while the process runs, and on macOS it starts two other processes.
 */
let known: Processes | undefined;

const processes = (): Processes => {
  const isMac = process.platform === 'darwin';
  const statOf = isMac ? macStat : linuxStat;
  known ??= {
    self: {
      pid: process.pid,
      runtime: process.versions.bun === undefined ? 'node' : 'bun',
      started: statOf(process.pid)?.started,
      boot: isMac ? macBoot() : readProc(readText, 'sys/kernel/random/boot_id'),
      host: hostname(),
      namespace: readProc(readLink, 'self/ns/pid'),
      thread: thisThread(),
    },
    hasNamespaces: process.platform === 'linux' || process.platform === 'android',
    isThere,
    statOf,
    threadStat: linuxThreadStat,
    openFile,
  };
  return known;
};

export const thisProcess = (): LockHolder => processes().self;

/**
 * Returns whether the holder of a lock still runs. The result is `unknown` on another host, on an unnamed host (Deno
 * without the permission to read the host name), and in another pid namespace. An equal boot id also identifies the
 * machine, because the host name may change. An existing process with the same pid is not enough for `alive`: its start
 * time must be equal too.
 */
export const livenessOf = (
  holder: LockHolder & Pick<LockRecord, 'descriptor' | 'file'>,
  system: Processes = processes(),
): Liveness => {
  const { self, hasNamespaces } = system;
  if (holder.boot === undefined || holder.boot !== self.boot) {
    if (holder.host === undefined || holder.host !== self.host) {
      return 'unknown';
    }
    if (isDifferent(holder.boot, self.boot)) {
      return 'gone';
    }
  }
  if (holder.namespace !== self.namespace || (hasNamespaces && self.namespace === undefined)) {
    return 'unknown';
  }
  if (!system.isThere(holder.pid)) {
    return 'gone';
  }
  const stat = system.statOf(holder.pid);
  if (hasEnded(stat) || isDifferent(holder.started, stat?.started) || isThreadGone(holder, system)) {
    return 'gone';
  }
  return holder.started !== undefined && holder.started === stat?.started ? 'alive' : 'unknown';
};

/** Whether a process is a zombie or dead. */
const hasEnded = (stat: ProcessStat | undefined): boolean => stat?.state === 'Z' || stat?.state === 'X';

/**
 * Whether the thread of a holder has ended, whose process still runs. Without thread information from the system, a
 * thread of this process has ended if its descriptor of the lock file is closed: Node closes the files of a worker.
 */
const isThreadGone = (
  { pid, thread, descriptor, file }: LockHolder & Pick<LockRecord, 'descriptor' | 'file'>,
  { self, threadStat, openFile }: Processes,
): boolean => {
  if (thread !== undefined) {
    const [id, started] = thread.split(':') as [string, string | undefined];
    const stat = /^\d+$/.test(id) ? threadStat(pid, id) : undefined;
    return stat === 'gone' || (stat !== undefined && (hasEnded(stat) || isDifferent(started, stat.started)));
  }
  if (pid !== self.pid || descriptor === undefined || file === undefined) {
    return false;
  }
  const open = openFile(descriptor);
  return open !== undefined && open !== file;
};

const isDifferent = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a !== b;
