/** Starts processes that write to one repository, and checks the repository against their output. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import type { Repo } from '../../src/core/repo/repo.ts';
import { listOf } from '../../src/core/data/list-of.ts';
import { KEY, POST } from '../../src/testing/repo/harness.ts';
import { bundleChild } from '../bundled-child.ts';
import { driver } from './connect.ts';
import type { WriterTask } from './writer.ts';

export interface Writers {
  /** The record keys of all calls, of the calls that resolved, and the codes of the calls that rejected. */
  readonly tried: ReadonlySet<string>;
  readonly acknowledged: ReadonlySet<string>;
  readonly failures: readonly string[];
  /** Starts one more process. */
  start(count?: number): void;
  /** Kills a random process. */
  killOne(): void;
  /** Waits for the processes to end. With `stop`, asks them to. */
  end(options?: { readonly stop: boolean }): Promise<void>;
}

/** Prepares the processes, and starts none. */
export const prepareWriters = async (task: Pick<WriterTask, 'did' | 'schema' | 'url'>): Promise<Writers> => {
  const program = await bundleChild('test/postgres/writer.ts');
  const [tried, acknowledged, failures] = [new Set<string>(), new Set<string>(), [] as string[]];
  const children = new Map<ChildProcess, Promise<void>>();
  const killed = new Set<ChildProcess>();
  let started = 0;

  const note = (line: string): void => {
    const [what, rkey, code] = line.split(' ');
    if (what === 'try') {
      tried.add(rkey!);
    } else if (what === 'ok') {
      acknowledged.add(rkey!);
    } else if (what === 'failed') {
      failures.push(code!);
    }
  };

  const run = async (child: ChildProcess): Promise<void> => {
    let [rest, errors] = ['', ''];
    child.stdout!.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk).split('\n');
      // A process that is killed may end in the middle of a line.
      rest = lines.pop()!;
      lines.forEach(note);
    });
    child.stderr!.on('data', (chunk: Buffer) => {
      errors += chunk;
    });
    const [status] = await once(child, 'close');
    children.delete(child);
    if (status !== 0 && !killed.has(child)) {
      throw new Error(`a writer failed: status=${status} ${errors}`);
    }
  };

  return {
    tried,
    acknowledged,
    failures,
    start(count = Number.MAX_SAFE_INTEGER) {
      started += 1;
      const whole: WriterTask = { ...task, name: `w${started}`, count, driver };
      const child = spawn(process.execPath, [program, JSON.stringify(whole)]);
      const ended = run(child);
      // `end` reports it.
      ended.catch(() => undefined);
      children.set(child, ended);
    },
    killOne() {
      const running = [...children.keys()].filter((child) => !killed.has(child));
      const child = running[Math.floor(Math.random() * running.length)]!;
      killed.add(child);
      child.kill('SIGKILL');
    },
    async end({ stop } = { stop: false }) {
      if (stop) {
        [...children.keys()].forEach((child) => child.stdin!.end());
      }
      await Promise.all([...children.values()]);
    },
  };
};

/**
 * Every call that resolved is in the repository, every record is of a call, and each has one commit. So none was lost
 * and none was written twice.
 */
export const expectWritten = async (repo: Repo, { tried, acknowledged }: Writers): Promise<void> => {
  const records = new Set((await listOf(repo.list(POST))).map(({ rkey }) => rkey));
  expect([...acknowledged].filter((rkey) => !records.has(rkey))).toEqual([]);
  expect([...records].filter((rkey) => !tried.has(rkey))).toEqual([]);
  const commits = (await listOf(repo.log())).map(({ rev }) => rev);
  expect(commits).toHaveLength(records.size);
  expect(commits).toEqual([...new Set(commits)].sort().reverse());
  const report = await repo.verify({ key: KEY.did() });
  expect({ ok: report.ok, signature: report.signature }).toEqual({ ok: true, signature: 'valid' });
};
