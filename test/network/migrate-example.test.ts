/** `examples/migrate.node.ts` between two real PDSs: without a token, killed at each step, repeated to its end. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformWithOxc } from 'vite';
import { beforeAll, describe, expect, test } from 'vitest';
import { openOrCreateRepo, openRepo } from '../../src/node.ts';
import { clone, pull, resolveAccount } from '../../src/sync.ts';
import type { MigrateStep } from '../../src/sync.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { buildPackage } from '../built-package.ts';
import { root } from '../house/sources.ts';
import { createDriver, useNetwork } from './network.ts';
import type { Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import { expectTruth } from './truth.ts';

/** Each run is killed as it begins one of them. */
const STEPS: readonly MigrateStep[] = [
  'account',
  'records',
  'blobs',
  'preferences',
  'sign',
  'deactivate',
  'check',
  'identity',
  'activate',
];

interface Run {
  readonly child: ChildProcess;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(lacksPds)(`migrate.node.ts${why}`, () => {
  const network = useNetwork({ pds: 2 });
  const folder = scratchFolder('migrate-example');
  let old: Pds;
  let fresh: Pds;
  let script: string;

  beforeAll(async () => {
    [old, fresh] = network.pds as [Pds, Pds];
    const built = await buildPackage('network-migrate-example');
    mkdirSync(join(built, 'examples'));
    const source = join(root, 'examples', 'migrate.node.ts');
    // Node 20 does not run TypeScript, so the types are removed in the same way as newer versions of Node do.
    const options = { typescript: { onlyRemoveTypeImports: true } };
    const { code } = await transformWithOxc(readFileSync(source, 'utf8'), source, options);
    script = join(built, 'examples', 'migrate.node.js');
    writeFileSync(script, code);
  });

  /** Runs the script. `onStderr` gets all that it has written so far, after each chunk. */
  const run = (
    args: readonly string[],
    env: NodeJS.ProcessEnv,
    onStderr: (text: string, child: ChildProcess) => void = () => undefined,
  ): Promise<Run> =>
    new Promise((resolve, reject) => {
      const hosts = { ATP_PLC_HOST: network.plcUrl, PATH: process.env['PATH'] };
      const child = spawn(process.execPath, [script, ...args], { cwd: folder, env: { ...hosts, ...env } });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
        onStderr(stderr, child);
      });
      child.once('error', reject);
      child.once('close', (code) => resolve({ child, code, stdout, stderr }));
    });

  test('moves an account, and continues after it ended early', { timeout: 180_000 }, async () => {
    const account = await old.createAccount({ name: 'alice' });
    const driver = await createDriver(account, { seed: 13 });
    await driver.run(25);
    const hosts = { plcUrl: network.plcUrl, allowPrivate: true };
    const copy = join(folder, 'alice');
    const { repo } = await clone(account.did, ({ did }) => openOrCreateRepo(copy, { did }), hosts);
    await repo.close();

    const args = ['alice', fresh.url, 'alice.pds1.test', 'alice@pds1.test'];
    const secrets = { OLD_PASSWORD: account.password, NEW_PASSWORD: 'another' };
    const without = await run(args, { OLD_PASSWORD: account.password });
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('Set NEW_PASSWORD')]);

    const isAsking = 'Token in the mail of the old host: ';
    const unanswered = await run(args, secrets, (text, child) => {
      if (text.includes(isAsking)) {
        child.stdin!.end();
      }
    });
    expect([unanswered.code, unanswered.stderr]).toEqual([1, expect.stringContaining('no token was entered')]);
    expect(await resolveAccount(account.did, hosts)).toMatchObject({ pds: old.url });

    const enterToken = (text: string, child: ChildProcess): void => {
      if (text.endsWith(isAsking)) {
        child.stdin!.end(`${old.lastToken(account.email)}\n`);
      }
    };
    for (const step of STEPS) {
      const killed = await run(args, secrets, (text, child) => {
        enterToken(text, child);
        if (new RegExp(`(^|: )${step}$`, 'm').test(text)) {
          child.kill('SIGKILL');
        }
      });
      expect([step, killed.child.signalCode], killed.stderr).toEqual([step, 'SIGKILL']);
    }

    const moved = await run(args, secrets, enterToken);
    expect([moved.code, moved.stdout]).toEqual([0, `${account.did}\t${fresh.url}\t${driver.head.cid}\n`]);
    expect(moved.stderr.match(/^\w+$/gm)?.at(-1)).toBe('activate');
    expect(await resolveAccount(account.did, hosts)).toMatchObject({ pds: fresh.url });

    const again = await run(args, secrets);
    expect([again.code, again.stdout]).toEqual([0, moved.stdout]);
    const after = await openRepo(copy);
    expect(await pull(after, hosts)).toMatchObject({ status: 'current' });
    await expectTruth(after, driver);
    await after.close();
  });
});
