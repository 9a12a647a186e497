/** The processes of a browser, as Linux lists them. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
import { readFileSync, readdirSync } from 'node:fs';

/** `pid (name) state parent group …`. The name may contain parentheses. */
const STAT = /^\d+ \((.*)\) \S \d+ (\d+) /s;

const statOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // The process has ended since it was listed.
    return '';
  }
};

/** Returns the processes of this name in the process group of a browser. */
export const processesOf = (browser: number, name: string): number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const [, found, group] = STAT.exec(statOf(pid)) ?? [];
      return found === name && Number(group) === browser;
    });
