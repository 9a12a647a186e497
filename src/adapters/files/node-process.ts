/** Processes as Node and Bun see them: who we are, and whether somebody else is still there. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCodeOf } from '../../core/storage/storage-error.ts';
import type { Liveness, LockHolder } from './lock-record.ts';
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

/**
 * State and start time: fields 3 and 22 of the line. Field 2 is the command's name, which may hold anything, `)`
 * included.
 */
const linuxStat = (pid: number): ProcessStat | undefined => {
  const line = readProc(readText, `${pid}/stat`);
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields?.[0], fields?.[19]];
  return state === undefined || started === undefined ? undefined : { state, started };
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
      namespace: readProc((path) => readlinkSync(path), 'self/ns/pid'),
    },
    hasNamespaces: process.platform === 'linux' || process.platform === 'android',
    isThere,
    statOf,
  };
  return known;
};

export const thisProcess = (): LockHolder => processes().self;

/**
 * Whether the holder of a lock still runs. Nobody is presumed gone on another host, on one that is not named (a Deno
 * without the permission to know it, which may run anywhere that the folder is seen from), or in another namespace of
 * pids. Nobody is presumed alive because some process has his pid: where start times are not told it may be any.
 */
export const livenessOf = (
  holder: LockHolder,
  { self, hasNamespaces, isThere, statOf }: Processes = processes(),
): Liveness => {
  if (holder.host === undefined || holder.host !== self.host) {
    return 'unknown';
  }
  if (isDifferent(holder.boot, self.boot)) {
    return 'gone';
  }
  if (holder.namespace !== self.namespace || (hasNamespaces && self.namespace === undefined)) {
    return 'unknown';
  }
  if (!isThere(holder.pid)) {
    return 'gone';
  }
  const stat = statOf(holder.pid);
  // A zombie has ended and only waits for its parent to notice; another start time is another process with the same
  // pid.
  if (stat?.state === 'Z' || stat?.state === 'X' || isDifferent(holder.started, stat?.started)) {
    return 'gone';
  }
  return holder.started !== undefined && holder.started === stat?.started ? 'alive' : 'unknown';
};

const isDifferent = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a !== b;
