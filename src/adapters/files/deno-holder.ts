/** The process as Deno may know it: a lock file says as much of it as has been permitted. */
import type { DenoApi } from './deno-api.ts';
import type { LockHolder } from './lock-record.ts';

/**
 * Names the host with `--allow-sys=hostname`. With `--allow-all` also what a Node or a Bun has to know to tell whether
 * this process still runs; another Deno asks for the flock. Nothing is asked with a prompt.
 */
export const denoHolder = (deno: DenoApi): LockHolder => {
  const mayKnowHost = deno.permissions.querySync({ name: 'sys', kind: 'hostname' }).state === 'granted';
  const mayRead = deno.permissions.querySync({ name: 'read', path: '/proc' }).state === 'granted';
  const read = (get: (path: string) => string, path: string): string | undefined => {
    try {
      return mayRead ? get(`/proc/${path}`).trim() : undefined;
    } catch {
      // Another system, or a Deno that may read files and not these: not known, which whoever reads the lock takes for
      // what it is.
      return undefined;
    }
  };
  const text = (path: string): string => deno.readTextFileSync(path);
  const link = (path: string): string => deno.readLinkSync(path);
  /** Fields of the line as Node reads them. */
  const startedAt = (path: string): string | undefined => {
    const line = read(text, path);
    return line?.slice(line.lastIndexOf(')') + 2).split(' ')[19];
  };
  const thread = read(link, 'thread-self');
  const threadStarted = thread === undefined ? undefined : startedAt(`${thread}/stat`);
  return {
    pid: deno.pid,
    runtime: 'deno',
    host: mayKnowHost ? deno.hostname() : undefined,
    started: startedAt('self/stat'),
    boot: read(text, 'sys/kernel/random/boot_id'),
    namespace: read(link, 'self/ns/pid'),
    thread: threadStarted && `${thread!.slice(thread!.lastIndexOf('/') + 1)}:${threadStarted}`,
  };
};
