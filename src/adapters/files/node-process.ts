/** Processes as Node and Bun see them: who we are, and whether somebody else is still there. */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCodeOf } from '../../core/storage-error.ts';
import type { Liveness, LockHolder } from './lock-record.ts';

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

/** State and start time: fields 3 and 22 of the line. Field 2 is the command's name, which may hold anything, `)` included. */
const statOf = (pid: number | 'self'): { readonly state: string; readonly started: string } | undefined => {
  const line = readProc(readText, `${pid}/stat`);
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields?.[0], fields?.[19]];
  return state === undefined || started === undefined ? undefined : { state, started };
};

export const thisProcess = (): LockHolder => ({
  pid: process.pid,
  runtime: process.versions.bun === undefined ? 'node' : 'bun',
  started: statOf('self')?.started,
  boot: readProc(readText, 'sys/kernel/random/boot_id'),
  host: hostname(),
  namespace: readProc((path) => readlinkSync(path), 'self/ns/pid'),
});

/**
 * Whether the holder of a lock still runs. On another host, or in another namespace of pids, nobody is presumed gone. A
 * holder that does not name its host (Deno without the permission to know it) is taken to be on this one.
 */
export const livenessOf = (holder: LockHolder): Liveness => {
  const self = thisProcess();
  if (holder.host !== undefined && holder.host !== self.host) {
    return 'unknown';
  }
  if (isDifferent(holder.boot, self.boot)) {
    return 'gone';
  }
  if (isDifferent(holder.namespace, self.namespace)) {
    return 'unknown';
  }
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (systemCodeOf(error) === 'ESRCH') {
      return 'gone';
    }
    // EPERM: it is there, and somebody else's.
    if (systemCodeOf(error) !== 'EPERM') {
      throw error;
    }
  }
  const stat = statOf(holder.pid);
  // A zombie has ended and only waits for its parent to notice; another start time is another process with the same pid.
  const hasEnded = stat?.state === 'Z' || stat?.state === 'X' || isDifferent(holder.started, stat?.started);
  return hasEnded ? 'gone' : 'alive';
};

const isDifferent = (a: string | undefined, b: string | undefined): boolean => a !== undefined && b !== undefined && a !== b;
