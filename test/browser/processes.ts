/** The processes of a browser, as Linux lists them. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
import { readFileSync, readdirSync } from 'node:fs';

/** `pid (name) state parent group …`; the name may hold anything, parentheses too. */
const STAT = /^\d+ \((.*)\) \S \d+ (\d+) /s;

const statOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // It has ended since it was listed.
    return '';
  }
};

/** The processes of this name in the group of a browser, which is started in a group of its own. */
export const processesOf = (browser: number, name: string): number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const [, found, group] = STAT.exec(statOf(pid)) ?? [];
      return found === name && Number(group) === browser;
    });
