/** Describes this process for a lock file, as far as Deno's permissions allow. */
import type { DenoApi } from './deno-api.ts';
import type { LockHolder } from './lock-record.ts';

/**
 * Includes the host with `--allow-sys=hostname`. With `--allow-all`, also includes what Node and Bun need to check
 * whether this process still runs; another Deno checks the flock. Never prompts for a permission.
 */
export const denoHolder = (deno: DenoApi): LockHolder => {
  const mayKnowHost = deno.permissions.querySync({ name: 'sys', kind: 'hostname' }).state === 'granted';
  const mayRead = deno.permissions.querySync({ name: 'read', path: '/proc' }).state === 'granted';
  const read = (get: (path: string) => string, path: string): string | undefined => {
    try {
      return mayRead ? get(`/proc/${path}`).trim() : undefined;
    } catch {
      // Not Linux, or no permission for this file.
      return undefined;
    }
  };
  const text = (path: string): string => deno.readTextFileSync(path);
  const link = (path: string): string => deno.readLinkSync(path);
  /** As in `node-process.ts`. */
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
