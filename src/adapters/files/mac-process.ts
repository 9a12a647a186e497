/** Processes of macOS, which has no `/proc`: the two programs that come with the system know what a lock has to. */
import { execFileSync } from 'node:child_process';

/** An answer takes some milliseconds. Who waits longer knows nothing. */
const TIMEOUT_MS = 5_000;

const ask = (program: string, ...args: readonly string[]): string | undefined => {
  try {
    // One language and one time zone, for answers are compared with those that other processes were given.
    const answer = execFileSync(program, args, {
      encoding: 'utf8',
      env: { LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: TIMEOUT_MS,
    });
    return answer.trim() === '' ? undefined : answer.trim();
  } catch {
    // The program is not there, may not run, or has found nothing: not known, which callers take for what it is.
    return undefined;
  }
};

/** Tells this run of the machine from the ones before. */
export const macBoot = (): string | undefined => ask('/usr/sbin/sysctl', '-n', 'kern.bootsessionuuid');

/** State and start time of a process. */
export const macStat = (pid: number): { readonly state: string; readonly started: string } | undefined => {
  const line = ask('/bin/ps', '-o', 'state=', '-o', 'lstart=', '-p', String(pid));
  const [, state, started] = /^([A-Z])\S*\s+(\S.*)$/.exec(line ?? '') ?? [];
  return state === undefined || started === undefined ? undefined : { state, started };
};
