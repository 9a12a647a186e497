/** `mirror.deno.ts` with a real PDS and a real database. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openPostgres } from '../../src/postgres.ts';
import { storedAccount } from '../../src/sync.ts';
import { buildPackage } from '../built-package.ts';
import { root } from '../house/sources.ts';
import type { Driver, HostedAccount } from '../network/network.ts';
import { createDriver, useNetwork } from '../network/network.ts';
import { lacksPds, why as whyNoPds } from '../network/network-test.ts';
import { expectTruth } from '../network/truth.ts';
import { findRuntime } from '../runtime/find-runtime.ts';
import { connectPg, newSchema } from './connect.ts';
import { lacksPostgres, why } from './postgres-test.ts';

const deno = findRuntime('deno');
const isSkipped = lacksPostgres || lacksPds || deno === undefined;
const whySkipped = `${why}${whyNoPds}${deno === undefined ? ' (needs npm ci --prefix test/runtime)' : ''}`;

/** A run of the example. */
class Mirror {
  readonly #child: ChildProcess;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], cwd: string) {
    this.#child = spawn(deno!, args, { cwd, env: { ...process.env, NO_COLOR: '1' } });
    this.#child.stdout!.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = once(this.#child, 'close').then(([code]) => code as number | null);
  }

  /** Waits for output. */
  async until(output: RegExp): Promise<void> {
    for (let i = 0; !output.test(this.stdout + this.stderr); i++) {
      if (i > 600 || this.#child.exitCode !== null) {
        throw new Error(`no output ${output}: ${this.stdout}${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  kill(signal: 'SIGINT' | 'SIGKILL'): void {
    this.#child.kill(signal);
  }
}

describe.skipIf(isSkipped)(`mirror.deno.ts${whySkipped}`, () => {
  const network = useNetwork();
  const schema = newSchema();
  let built: string;
  let folder: string;
  let list: string;
  let program: string[];
  let target: string[];
  const hosted: HostedAccount[] = [];
  const drivers: Driver[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pdsdb-mirror-'));
    built = await buildPackage('mirror-example');
    mkdirSync(join(built, 'examples'));
    copyFileSync(join(root, 'examples', 'mirror.deno.ts'), join(built, 'examples', 'mirror.deno.ts'));
    // As `npm install pdsdb pg` does.
    rmSync(join(built, 'node_modules'));
    mkdirSync(join(built, 'node_modules'));
    const packages = [join(root, 'node_modules'), join(root, 'test', 'postgres', 'node_modules')];
    for (const [i, from] of packages.entries()) {
      for (const name of i === 0 ? readdirSync(from).filter((entry) => !entry.startsWith('.')) : ['pg']) {
        symlinkSync(join(from, name), join(built, 'node_modules', name));
      }
    }
    for (const seed of [1, 2, 3]) {
      const account = await network.pds[0]!.createAccount();
      const driver = await createDriver(account, { seed });
      await driver.run(20);
      hosted.push(account);
      drivers.push(driver);
    }
    list = join(folder, 'accounts.txt');
    writeFileSync(list, `# two of three\n${hosted[0]!.handle}\n\n${hosted[1]!.did}\n`);
    // The permissions of the docstring, and no prompt.
    const permissions = ['--allow-net=localhost,127.0.0.1', '--allow-env=PG*,USER', `--allow-read=${list}`];
    program = ['run', '--no-prompt', '--no-check', ...permissions, 'examples/mirror.deno.ts'];
    target = [inject('postgresUrl'), '--schema', schema, '--plc', network.plcUrl, '--allow-private'];
    target.push('--pds', network.pds[0]!.url);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const start = (...args: string[]): Mirror => new Mirror([...program, ...args], built);
  const expectCopies = async (): Promise<void> => {
    await using places = await openPostgres(connectPg(inject('postgresUrl')), { schema });
    expect((await places.listRepos()).map(({ did }) => did)).toEqual(hosted.map(({ did }) => did).sort());
    for (const driver of drivers) {
      const repo = await places.openRepo(driver.did);
      await expectTruth(repo, driver);
      const { key } = (await storedAccount(repo))!;
      expect(await repo.verify({ key })).toMatchObject({ ok: true, signature: 'valid' });
    }
  };

  test('help, wrong arguments, and a database that cannot be reached', async () => {
    const help = start('--help');
    expect(await help.ended).toBe(0);
    expect(help.stdout).toMatch(/^Usage: mirror\.deno\.ts <target>/);
    for (const [args, message] of [
      [[], 'Give a target'],
      [[target[0]!], 'Give a target, and accounts'],
      [[target[0]!, 'a.example.com', '--nonsense'], 'nonsense'],
      [[target[0]!, 'a.example.com', '--at-once', 'x'], '--at-once needs a whole number'],
    ] as [string[], string][]) {
      const wrong = start(...args);
      expect(await wrong.ended).toBe(2);
      expect(wrong.stderr).toContain(message);
    }
    const away = start('postgres://127.0.0.1:1/away', hosted[0]!.did, '--once');
    expect(await away.ended).toBe(1);
    expect(away.stderr).toMatch(/^StorageFailed: the migration failed: no connection to PostgreSQL/);
  });

  test('copies the accounts of a list and an argument once; one that fails is named', async () => {
    const first = start(...target, '--once', '--accounts', list, 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa');
    expect(await first.ended).toBe(1);
    const [one, two] = drivers.map(({ did, records }) => `${did}\tcopied\tupdated\t${records.size}\t`);
    expect(first.stdout.split('\n').map((line) => line.split('\t', 4).concat('').join('\t'))).toEqual(
      expect.arrayContaining([one, two]),
    );
    expect(first.stderr).toMatch(/did:plc:a{24}\tDidNotFound\t/);
    expect(first.stderr).toContain('2 copied, 1 failed');
    const again = start(...target, '--once', '--accounts', list);
    expect(await again.ended).toBe(0);
    expect(again.stdout.match(/\tcopied\tcurrent\t0\t0\t0\t0\t0$/gm)).toHaveLength(2);
  });

  test('a run that was killed is continued; changes follow until SIGINT', async () => {
    await drivers[2]!.run(60);
    const killed = start(...target, '--host', network.pds[0]!.url, '--at-once', '1', '--no-blobs');
    await killed.until(/copied/);
    killed.kill('SIGKILL');
    await killed.ended;
    const mirror = start(...target, '--host', network.pds[0]!.url);
    await mirror.until(/3 copied, 0 failed/);
    for (const driver of drivers) {
      await driver.run(5);
      await mirror.until(new RegExp(`${driver.did}\tchanged\t${driver.head.rev}\t`));
    }
    mirror.kill('SIGINT');
    expect(await mirror.ended).toBe(0);
    await expectCopies();
  });
});
