/** Processes that hold a repository's files, in any runtime. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'vite';
import { root } from '../house/sources.ts';
import { findRuntime } from './find-runtime.ts';

export type Runtime = 'bun' | 'deno' | 'node';

/** Bundles the script into a JavaScript file in `folder`, because Node 20 does not run TypeScript. */
const bundleForNode = async (folder: string): Promise<string> => {
  await build({
    configFile: false,
    logLevel: 'silent',
    root,
    ssr: { noExternal: true },
    build: {
      ssr: join(root, 'test/runtime/node/hold.ts'),
      outDir: folder,
      emptyOutDir: false,
      rolldownOptions: { output: { entryFileNames: 'hold.mjs' } },
    },
  });
  return join(folder, 'hold.mjs');
};

/**
 * Returns the command that starts a holder, or `undefined` if the runtime is missing. It has permissions for `folder`.
 */
export const holderCommand = async (runtime: Runtime, folder: string): Promise<readonly string[] | undefined> => {
  if (runtime === 'node') {
    return [process.execPath, await bundleForNode(folder)];
  }
  const program = findRuntime(runtime);
  if (program === undefined) {
    return undefined;
  }
  const script = join(root, 'test/runtime', runtime, 'hold.ts');
  // A thread needs the permission to read the script.
  const permissions = ['run', '--no-prompt', `--allow-read=${folder},${root}`, `--allow-write=${folder}`];
  return runtime === 'deno' ? [program, ...permissions, script] : [program, script];
};

export class Holder {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor([program, ...args]: readonly string[]) {
    this.#child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** Sends a command and returns its line: `open`, `closed`, or the code and message of an error. */
  async ask(command: string): Promise<string> {
    this.#child.stdin!.write(`${command}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) {
      throw new Error(`the process ended at: ${command}`);
    }
    return value;
  }

  signal(name: 'SIGCONT' | 'SIGKILL' | 'SIGSTOP'): void {
    this.#child.kill(name);
  }

  /** Kills the process, and waits until it has ended. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
  }
}
