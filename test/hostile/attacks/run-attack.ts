/** Runs attacks in processes with a small heap. One process runs many attacks, because its start costs a second. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundleChild } from '../../bundled-child.ts';

/** A message to the process of the attacks. */
export interface Request {
  readonly what: 'make' | 'run' | 'warm';
  readonly number: number;
}

/** Its reply: the cost of an attack, or the text of an error. */
export interface Reply {
  readonly error?: string;
  readonly end?: string;
  readonly ms?: number;
  readonly peakMb?: number;
  /** Megabytes before the attack, and after it without its garbage. */
  readonly beforeMb?: number;
  readonly afterMb?: number;
}

/** How an attack ended, and its cost. */
export interface AttackCost {
  readonly end: string;
  /** Milliseconds of processor time of the attack alone. */
  readonly ms: number;
  /** The most megabytes of the whole process during the attack. */
  readonly peakMb: number;
  /** Of these, the megabytes above those before the attack. */
  readonly grownMb: number;
}

/** The limit of the JavaScript heap in megabytes. Bytes in buffers and in SQLite do not count. */
export const HEAP_MB = 128;
/** An attack that hangs is killed after this time. */
const HANG_MS = 100_000;
/** A process that has kept so many megabytes is replaced. The memory of SQLite never shrinks and hides growth. */
const MOST_KEPT_MB = 15;

const bundle = bundleChild('test/hostile/attacks/attack-child.ts');

/** One process at a time, which is started when it is needed. */
class AttackProcess {
  readonly #scratch: string;
  readonly #options: readonly string[];
  #child: ChildProcess | undefined;
  #errors = '';

  constructor(scratch: string, ...options: readonly string[]) {
    this.#scratch = scratch;
    this.#options = options;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  async start(): Promise<void> {
    const child = fork(await bundle, [this.#scratch], {
      execArgv: ['--expose-gc', ...this.#options],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#errors = '';
    child.stderr!.on('data', (data: Buffer) => (this.#errors += String(data)));
    this.#child = child;
  }

  /** @throws {Error} if the attack throws, hangs or ends its process. The next attack starts a process. */
  async ask(request: Request): Promise<Reply> {
    const child = this.#child!;
    let timer: NodeJS.Timeout | undefined;
    const reply = await new Promise<Reply>((resolve) => {
      timer = setTimeout(() => {
        resolve({ error: `it has not ended after ${HANG_MS} ms` });
        void this.stop();
      }, HANG_MS);
      child.once('message', (message) => resolve(message as Reply));
      child.once('close', (code, signal) => {
        void this.stop();
        resolve({ error: `its process ended; code=${code} signal=${signal}\n${this.#errors}` });
      });
      child.send(request);
    });
    clearTimeout(timer);
    child.removeAllListeners('message').removeAllListeners('close');
    if (reply.error !== undefined) {
      throw new Error(reply.error);
    }
    return reply;
  }

  /** Kills the process, and waits for its end: until then, its locks are those of a live owner. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  }
}

/** The attacks, by their numbers. */
export class AttackRunner {
  readonly #scratch: string;
  readonly #process: AttackProcess;
  readonly #failed = new Map<number, unknown>();
  #soundMb = 0;

  /** @param scratch An empty folder. */
  constructor(scratch: string) {
    this.#scratch = scratch;
    this.#process = new AttackProcess(scratch, `--max-old-space-size=${HEAP_MB}`);
  }

  /** Prepares attacks in a process without such a limit. It ends afterwards, so that its locks are stale. */
  async make(numbers: readonly number[]): Promise<void> {
    const maker = new AttackProcess(this.#scratch);
    for (const number of numbers) {
      if (!maker.isRunning) {
        await maker.start();
      }
      mkdirSync(join(this.#scratch, String(number)));
      await maker.ask({ what: 'make', number }).catch((error: unknown) => this.#failed.set(number, error));
    }
    await maker.stop();
  }

  /** Runs a prepared attack and removes its folder. */
  async run(number: number): Promise<AttackCost> {
    if (this.#failed.has(number)) {
      throw new Error('the attack cannot be prepared', { cause: this.#failed.get(number) });
    }
    if (!this.#process.isRunning) {
      await this.#process.start();
      rmSync(join(this.#scratch, 'warm'), { recursive: true, force: true });
      this.#soundMb = (await this.#process.ask({ what: 'warm', number })).beforeMb!;
    }
    try {
      const { end, ms, peakMb, beforeMb, afterMb } = await this.#process.ask({ what: 'run', number });
      if (afterMb! > this.#soundMb + MOST_KEPT_MB) {
        await this.#process.stop();
      }
      return { end: end!, ms: ms!, peakMb: peakMb!, grownMb: Math.round(peakMb! - beforeMb!) };
    } finally {
      rmSync(join(this.#scratch, String(number)), { recursive: true, force: true });
    }
  }

  stop(): Promise<void> {
    return this.#process.stop();
  }
}
