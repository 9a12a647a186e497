/** Controls WebKitGTK through WebDriver. https://w3c.github.io/webdriver/ */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { existsSync } from 'node:fs';
import type { CommandName } from './commands.ts';
import type { TestBrowser, TestPage } from './browsers.ts';

const MINI_BROWSERS = ['4.1', '4.0', '6.0'].map(
  (version) =>
    `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-${version}/MiniBrowser`,
);

const START_MS = 60_000;
const SCRIPT_MS = 120_000;
const CLOSE_MS = 10_000;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

export const startWebkit = async (program: string, profile: string): Promise<TestBrowser> => {
  const port = await freePort();
  const binary = MINI_BROWSERS.find((path) => existsSync(path));
  // A separate process group, so that it is killed with its browser and its display.
  const child = spawn('xvfb-run', ['-a', program, `--port=${port}`], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, HOME: profile, XDG_DATA_HOME: `${profile}/data`, XDG_CACHE_HOME: `${profile}/cache` },
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const kill = async (): Promise<void> => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
        throw error;
      }
    }
    await gone;
  };
  const ask = async (
    method: 'DELETE' | 'POST',
    path: string,
    body?: unknown,
    withinMs: number = SCRIPT_MS + START_MS,
  ): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      signal: AbortSignal.timeout(withinMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const { value } = (await response.json()) as { value: { error?: string; message?: string } | null };
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${value?.error}: ${value?.message}`);
    }
    return value;
  };
  try {
    const options = { args: ['--automation'], ...(binary === undefined ? {} : { binary }) };
    const session = await untilReady(() =>
      ask('POST', '/session', { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } } }),
    );
    const base = `/session/${(session as { sessionId: string }).sessionId}`;
    await ask('POST', `${base}/timeouts`, { script: SCRIPT_MS });
    return {
      pid: child.pid!,
      // It has one page, which the next test loads again.
      watchPages: async () => async () => {
        await ask('POST', `${base}/url`, { url: 'about:blank' });
      },
      async open(url) {
        await ask('POST', `${base}/url`, { url });
        return pageOf((script, args) => ask('POST', `${base}/execute/async`, { script, args }));
      },
      kill,
      isRunning: () => child.exitCode === null && child.signalCode === null,
      async close() {
        // If it cannot be closed because it has already ended, nothing is left to do.
        await ask('DELETE', base, undefined, CLOSE_MS).catch(() => undefined);
        await kill();
      },
    };
  } catch (error) {
    await kill();
    throw error;
  }
};

const untilReady = async <T>(attempt: () => Promise<T>): Promise<T> => {
  for (const end = Date.now() + START_MS; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) {
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
};

/** Asks the page as soon as its script has run. */
const SCRIPT = `
  const [where, command, args, done] = arguments;
  const ask = () => typeof runInBrowser === 'function'
    ? runInBrowser(where, command, args).then((result) => done({ result }), (error) => done({ error: String(error) + '\\n' + error.stack }))
    : setTimeout(ask, 20);
  ask();
`;

const pageOf = (execute: (script: string, args: unknown[]) => Promise<unknown>): TestPage => ({
  async run<T>(where: 'page' | 'worker', command: CommandName, args: unknown = {}) {
    const { result, error } = (await execute(SCRIPT, [where, command, JSON.stringify(args)])) as {
      result?: string;
      error?: string;
    };
    if (result === undefined) {
      throw new Error(error);
    }
    return JSON.parse(result) as T;
  },
});
