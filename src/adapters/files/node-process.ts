/** Processes and threads as Node and Bun see them: who we are, and whether somebody else is still there. */
import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCodeOf } from '../../core/storage/storage-error.ts';
import type { Liveness, LockHolder, LockRecord } from './lock-record.ts';
import { macBoot, macStat } from './mac-process.ts';

/** The processes of Linux, as files. Elsewhere there is nothing there, and less is known. */
const PROC = '/proc';

const readProc = (read: (path: string) => string, path: string): string | undefined => {
  try {
    return read(`${PROC}/${path}`).trim();
  } catch (error) {
    // Another system, a process that is gone, a sandbox: not known, which callers take for what it is.
    if (systemCodeOf(error) !== undefined) {
      return undefined;
    }
    throw error;
  }
};

const readText = (path: string): string => readFileSync(path, 'latin1');
const readLink = (path: string): string => readlinkSync(path);

/**
 * State and start time: fields 3 and 22 of the line. Field 2 is the command's name, which may hold anything, `)`
 * included.
 */
const parseStat = (line: string | undefined): ProcessStat | undefined => {
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields?.[0], fields?.[19]];
  return state === undefined || started === undefined ? undefined : { state, started };
};

const linuxStat = (pid: number): ProcessStat | undefined => parseStat(readProc(readText, `${pid}/stat`));

/** The same of a thread. Only a thread that is not there is `gone`: the system may have no file to spare just now. */
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

/** This thread, as a lock file is to name it. Node and Bun have one of the system's for each worker. */
const thisThread = (): string | undefined => {
  const [, pid, thread] = /^(\d+)\/task\/(\d+)$/.exec(readProc(readLink, 'thread-self') ?? '') ?? [];
  const stat = thread === undefined ? undefined : linuxThreadStat(Number(pid), thread);
  return typeof stat === 'object' ? `${thread}:${stat.started}` : undefined;
};

/** A file by its number in its file system. The volume has two numbers on Windows, one for each way to ask. */
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
  /** `Z` for one that has ended, and whose parent has not noticed. */
  readonly state: string;
  readonly started: string;
}

/** What a system tells of its processes. */
export interface Processes {
  readonly self: LockHolder;
  /** Whether a pid counts only within its namespace. */
  readonly hasNamespaces: boolean;
  isThere(pid: number): boolean;
  /** `undefined` where the system does not tell. */
  statOf(pid: number): ProcessStat | undefined;
  threadStat(pid: number, thread: string): ProcessStat | 'gone' | undefined;
  /** Which file this process has open under a number. */
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
    // EPERM: it is there, and somebody else's.
    if (systemCodeOf(error) === 'EPERM') {
      return true;
    }
    throw error;
  }
};

/**
 * Asked for once: none of it changes while a process runs, and on macOS two other processes have to be started for it.
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
 * Whether the holder of a lock still runs. Nobody is presumed gone on another host, on one that is not named (a Deno
 * without the permission to know it, which may run anywhere that the folder is seen from), or in another namespace of
 * pids. A machine is known by its boot id too: its name may change while it runs. Nobody is presumed alive because some
 * process has his pid: where start times are not told it may be any.
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

/** A zombie has ended and only waits for its parent to notice. */
const hasEnded = (stat: ProcessStat | undefined): boolean => stat?.state === 'Z' || stat?.state === 'X';

/**
 * Whether the thread of a holder has ended, whose process is there. Where the system does not tell its threads, a
 * thread of this process has ended when the lock file that it had open is closed: Node closes the files of a worker.
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
