/** The examples that need a host: `demo-network.mjs` and `mirror.deno.ts`. */
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRepo } from '../../src/node.ts';
import { buildPackage } from '../built-package.ts';
import { root } from '../house/sources.ts';
import { createDriver, startNetwork } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import { expectTruth } from './truth.ts';

const env = {
  ...process.env,
  PATH: [process.env['PATH'], join(root, 'test', 'runtime', 'node_modules', '.bin')].join(delimiter),
  NO_COLOR: '1',
};
const hasDeno = ((): boolean => {
  try {
    execFileSync('deno', ['--version'], { env });
    return true;
  } catch {
    return process.env['PDSDB_REQUIRE']?.split(',').includes('deno') === true;
  }
})();

describe.skipIf(lacksPds)(`the examples with a PDS${why}`, () => {
  let built: string;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pdsdb-network-examples-'));
    built = await buildPackage('network-examples');
    mkdirSync(join(built, 'examples'));
    mkdirSync(join(built, 'test'));
    symlinkSync(join(root, 'test', 'network'), join(built, 'test', 'network'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('demo-network.mjs runs to its end', { timeout: 120_000 }, async () => {
    copyFileSync(join(root, 'examples', 'demo-network.mjs'), join(built, 'examples', 'demo-network.mjs'));
    const script = join(built, 'examples', 'demo-network.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [script], { cwd: built, env });
    expect(stdout).toMatch(/verified/);
    expect(stdout).toMatch(/both devices have "from both"/);
    expect(stdout).toMatch(/current, \d+ records, 0 things to do, signature valid/);
  });

  test.skipIf(!hasDeno)('mirror.deno.ts keeps copies in a folder current', { timeout: 120_000 }, async () => {
    const network = await startNetwork();
    const [pds] = network.pds;
    const account = await pds!.createAccount({ name: 'alice' });
    const driver = await createDriver(account, { seed: 8 });
    await driver.run(30);
    copyFileSync(join(root, 'examples', 'mirror.deno.ts'), join(built, 'examples', 'mirror.deno.ts'));
    writeFileSync(join(folder, 'accounts.txt'), `# mine\n${account.handle}\n\n`);
    const hosts = ['--pds', pds!.url, '--plc', network.plcUrl, '--allow-private'];
    const run = async (): Promise<string> => {
      const permissions = ['--allow-net=localhost', `--allow-read=${folder}`, `--allow-write=${folder}`];
      const args = ['run', '--no-prompt', '--no-check', ...permissions, join('examples', 'mirror.deno.ts'), folder];
      args.push('--once', '--accounts', join(folder, 'accounts.txt'), ...hosts);
      return (await promisify(execFile)('deno', args, { cwd: built, env })).stdout;
    };
    expect(await run()).toMatch(new RegExp(`^${account.did}\tcopied\tupdated\t${driver.at().size}\t`));
    await driver.run(10);
    expect(await run()).toMatch(/\tupdated\t/);
    expect(await run()).toMatch(/\tcurrent\t0\t0\t0\t0\t0\n$/);
    const repo = await openRepo(join(folder, account.did.replaceAll(':', '-')), { readOnly: true });
    await expectTruth(repo, driver);
    await repo.close();
    await network.stop();
  });
});
