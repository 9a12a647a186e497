/** Starts one S3 server for the files of the project. Without its programs the tests are skipped. */
import { execFile, execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import type { S3Server } from './bucket.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    readonly s3: S3Server | { readonly missing: string };
  }
}

const PROGRAMS = ['radosgw', 'ceph-mon', 'ceph-osd', 'curl', 'setsid'];
const script = (name: string): string => fileURLToPath(new URL(`server/${name}.sh`, import.meta.url));

/** Ports of the server: the first is for requests, the others for its parts. */
const PORTS = 11;

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => resolve(true));
  });

const freePorts = async (): Promise<number> => {
  for (let first = 21_000 + (process.pid % 400) * PORTS; ; first += PORTS) {
    const free = await Promise.all(Array.from({ length: PORTS }, (_, i) => isFree(first + i)));
    if (!free.includes(false)) {
      return first;
    }
  }
};

/** Returns what the server lacks here, or `undefined`. */
const missing = (): string | undefined => {
  const absent = PROGRAMS.filter((name) => {
    try {
      execFileSync('which', [name], { stdio: 'ignore' });
      return false;
    } catch {
      // `which` ends with 1 for a missing program.
      return true;
    }
  });
  return absent.length === 0 ? undefined : `needs ${absent.join(', ')}`;
};

export default async (project: TestProject): Promise<(() => Promise<void>) | undefined> => {
  const lacks = missing();
  if (lacks !== undefined) {
    if (process.env['PDSDB_REQUIRE']?.split(',').includes('s3') === true) {
      throw new Error(`PDSDB_REQUIRE has s3, and the S3 server cannot start: ${lacks}`);
    }
    project.provide('s3', { missing: lacks });
    return undefined;
  }
  const port = await freePorts();
  const env = { ...process.env, S3_PORT: String(port), S3_DIR: join(tmpdir(), `pdsdb-s3-${port}`) };
  const run = (name: string) => promisify(execFile)(script(name), [], { env });
  const { stdout } = await run('start');
  project.provide('s3', { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', ...JSON.parse(stdout) });
  return async () => void (await run('stop'));
};
