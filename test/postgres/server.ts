/** A private server of PostgreSQL in a temporary folder, on a free port of loopback. */
import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { baseBackup, programs } from './postgres-test.ts';

export interface PostgresServer {
  /** The address of an empty database. */
  readonly url: string;
  readonly port: number;
  /** Stops the server without a checkpoint, as a crash does, and starts it again. */
  restart(): Promise<void>;
  /** Starts a standby, which replays what this server writes. `stop` of this server does not stop it. */
  standby(): Promise<PostgresServer>;
  /** Stops the server and removes its folder. */
  stop(): Promise<void>;
}

export interface ServerSettings {
  /** Whether a commit waits for the disk. Only tests of crashes need it. */
  readonly durable?: boolean;
}

const run = promisify(execFile);

/** The server refuses to run as root. */
const account = async (): Promise<{ readonly uid: number; readonly gid: number } | undefined> => {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => (await run('id', [flag, 'postgres'])).stdout));
  return { uid: Number(uid), gid: Number(gid) };
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

export const startServer = ({ durable = false }: ServerSettings = {}): Promise<PostgresServer> =>
  startOver({ durable }, async (data, options) => {
    await run(
      join(programs!, 'initdb'),
      ['-D', data, '-U', 'pdsdb', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
      options,
    );
  });

/** Starts a server over a folder that `init` makes. */
const startOver = async (
  { durable = false }: ServerSettings,
  init: (data: string, options: { readonly cwd: string }) => Promise<void>,
): Promise<PostgresServer> => {
  const owner = await account();
  const folder = mkdtempSync(join(tmpdir(), 'pdsdb-postgres-'));
  if (owner !== undefined) {
    chownSync(folder, owner.uid, owner.gid);
  }
  const options = { cwd: folder, ...owner };
  const data = join(folder, 'data');
  await init(data, options);
  const port = await freePort();
  const fast = durable ? [] : ['-c', 'fsync=off', '-c', 'full_page_writes=off'];
  const settings = ['-c', 'max_connections=200', '-c', 'unix_socket_directories=', '-c', 'listen_addresses=127.0.0.1'];

  const start = async (): Promise<ChildProcess> => {
    const child = spawn(join(programs!, 'postgres'), ['-D', data, '-p', String(port), ...settings, ...fast], {
      ...options,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let log = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr!.on('data', (chunk: Buffer) => {
        log += log.includes('ready to accept') ? '' : chunk.toString();
        if (log.includes('ready to accept')) {
          resolve();
        }
      });
      child.once('exit', () => reject(new Error(`the server did not start: ${log}`)));
    });
    return child;
  };

  let child = await start();
  const end = async (signal: 'SIGINT' | 'SIGQUIT'): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
  };
  return {
    url: `postgres://pdsdb@127.0.0.1:${port}/postgres`,
    port,
    async restart() {
      await end('SIGQUIT');
      child = await start();
    },
    standby: () =>
      startOver({ durable }, async (copy, own) => {
        const from = ['-h', '127.0.0.1', '-p', String(port), '-U', 'pdsdb'];
        await run(baseBackup!, ['-D', copy, ...from, '-R', '-c', 'fast', '--no-sync'], own);
      }),
    async stop() {
      await end('SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
