/** The verb `migrate` and the program of docs/guides/migrate.md, between two real PDSs. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildPackage } from '../built-package.ts';
import { jsonLines, pdsdb } from '../cli/run-command.ts';
import { textOf } from '../house/sources.ts';
import { createReader } from '../readme/reader.ts';
import { samplesOf } from '../readme/samples.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { createDriver, useNetwork } from './network.ts';
import type { Driver, HostedAccount, Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';

describe.skipIf(lacksPds)(`a migration by a user${why}`, () => {
  const network = useNetwork({ pds: 2 });
  let old: Pds;
  let fresh: Pds;
  const folder = scratchFolder('migrate-command');

  beforeAll(async () => {
    [old, fresh] = network.pds as [Pds, Pds];
  });

  const accountWithCopy = async (name: string): Promise<{ account: HostedAccount; driver: Driver; repo: string }> => {
    const account = await old.createAccount({ name });
    const driver = await createDriver(account, { seed: 12 });
    await driver.run(15);
    const repo = join(folder, name);
    const hosts = ['--pds-host', old.url, '--plc-host', network.plcUrl, '--allow-private'];
    expect((await pdsdb(['clone', account.did, repo, ...hosts])).code).toBe(0);
    return { account, driver, repo };
  };

  test('the verb asks for its secrets in the environment, and moves the account', { timeout: 60_000 }, async () => {
    const { account, driver, repo } = await accountWithCopy('alice');
    const args = ['migrate', repo, '--to', fresh.url, '--handle', 'alice.pds1.test', '--email', 'a@pds1.test'];
    const hosts = ['--plc-host', network.plcUrl, '--allow-private', '--json'];
    const without = await pdsdb([...args, ...hosts], { env: { PDSDB_PASSWORD: account.password } });
    expect([without.code, without.stdout]).toEqual([1, expect.stringContaining('PDSDB_NEW_PASSWORD')]);
    const copyOnly = await pdsdb([...args, ...hosts, '--copy-only']);
    expect(JSON.parse(copyOnly.stdout)).toMatchObject({ error: 'InvalidRequest' });
    const secrets = { PDSDB_PASSWORD: account.password, PDSDB_NEW_PASSWORD: 'another' };
    // The token is in a mail that the old host sends during the run.
    const early = await pdsdb([...args, ...hosts], { env: secrets });
    expect(JSON.parse(early.stdout)).toMatchObject({ message: expect.stringContaining('PDSDB_PLC_TOKEN') });
    const env = {
      ...secrets,
      get PDSDB_PLC_TOKEN() {
        return old.lastToken(account.email);
      },
    };
    const { code, stdout, stderr } = await pdsdb([...args, ...hosts], { env });
    expect([code, jsonLines(stdout)]).toMatchObject([0, [{ did: account.did, pds: fresh.url, head: driver.head.cid }]]);
    expect(stderr).toMatch(/^making the account at the new host\n.*changing the DID document\nactivating/s);
    const pulled = await pdsdb(['pull', repo, ...hosts]);
    expect(JSON.parse(pulled.stdout)).toMatchObject({ status: 'current', host: { cid: driver.head.cid } });
  });

  test('the program of the guide moves an account', { timeout: 120_000 }, async () => {
    const { account, repo } = await accountWithCopy('bob');
    const reader = await createReader(await buildPackage('network-migrate-guide'));
    try {
      cpSync(repo, join(reader.folder, 'alice'), { recursive: true });
      const sample = samplesOf(textOf('docs/guides/migrate.md')).find(({ code }) => code.includes('const network'));
      const replaced = {
        'const network = {};': `const network = ${JSON.stringify({ plcUrl: network.plcUrl, allowPrivate: true })};`,
        'https://old.example.com': old.url,
        'https://new.example.com': fresh.url,
        'alice.new.example.com': 'bob.pds1.test',
        'the old password': account.password,
        "process.env['PLC_TOKEN'] ?? ''": `(await (await fetch('TOKEN')).text())`,
      };
      const { createServer } = await import('node:http');
      const mail = createServer((_, response) => response.end(old.lastToken(account.email)));
      await new Promise<void>((resolve) => mail.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(mail.address() as { port: number }).port}`;
      let code = sample!.code;
      for (const [from, to] of Object.entries(replaced)) {
        expect(code).toContain(from);
        code = code.replace(from, to.replace('TOKEN', url));
      }
      const said = await reader.run({ kind: 'file', name: 'migrate.mjs', command: 'node migrate.mjs', code });
      mail.close();
      expect(said).toContain(`${account.did} is at ${fresh.url}\ncurrent\n`);
    } finally {
      await reader.remove();
    }
  });
});
