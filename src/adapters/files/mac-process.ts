/** Reads the boot id and processes of macOS with the system's own programs, because macOS has no `/proc`. */

/** A call takes some milliseconds. After this time the result counts as unknown. */
const TIMEOUT_MS = 5_000;

const ask = (program: string, ...args: readonly string[]): string | undefined => {
  // Loaded here, because Node takes 10 ms to load it.
  const { execFileSync } = process.getBuiltinModule('node:child_process');
  try {
    // A fixed language and time zone, because other processes compare this output with theirs.
    const output = execFileSync(program, args, {
      encoding: 'utf8',
      env: { LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: TIMEOUT_MS,
    });
    return output.trim() === '' ? undefined : output.trim();
  } catch {
    // The program is missing, may not run, or has found nothing: the result is unknown.
    return undefined;
  }
};

/** Returns the boot id. */
export const macBoot = (): string | undefined => ask('/usr/sbin/sysctl', '-n', 'kern.bootsessionuuid');

/** Returns the state and the start time of a process. */
export const macStat = (pid: number): { readonly state: string; readonly started: string } | undefined => {
  const line = ask('/bin/ps', '-o', 'state=', '-o', 'lstart=', '-p', String(pid));
  const [, state, started] = /^([A-Z])\S*\s+(\S.*)$/.exec(line ?? '') ?? [];
  return state === undefined || started === undefined ? undefined : { state, started };
};
