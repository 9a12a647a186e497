/** The program of docs/guides/keep-a-copy.md with a real PDS. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRepo } from '../../src/node.ts';
import { buildPackage } from '../built-package.ts';
import { textOf } from '../house/sources.ts';
import { createReader } from '../readme/reader.ts';
import { samplesOf } from '../readme/samples.ts';
import { createDriver, startNetwork } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import { expectTruth } from './truth.ts';

test.skipIf(lacksPds)(`the program of the guide "Keep a copy of an account" runs twice${why}`, async () => {
  const reader = await createReader(await buildPackage('network-guide'));
  const network = await startNetwork();
  try {
    const [pds] = network.pds;
    const account = await pds!.createAccount({ name: 'alice' });
    const driver = await createDriver(account, { seed: 11 });
    await driver.run(20);
    const sample = samplesOf(textOf('docs/guides/keep-a-copy.md')).find(({ code }) => code.includes('const network'));
    const options = { pdsUrl: pds!.url, plcUrl: network.plcUrl, allowPrivate: true };
    const code = sample!.code.replace('const network = {};', `const network = ${JSON.stringify(options)};`);
    expect(code).not.toBe(sample!.code);
    const run = (): Promise<string> =>
      reader.run({ kind: 'file', name: 'keep.mjs', command: `node keep.mjs ${account.handle}`, code });
    expect(await run()).toMatch(new RegExp(`^updated ${driver.at().size} \\d+\ncurrent\ncurrent 0\n$`));
    expect(await run()).toBe('current 0 0\ncurrent\ncurrent 0\n');
    await using repo = await openRepo(join(reader.folder, 'copy'), { readOnly: true });
    await expectTruth(repo, driver);
  } finally {
    await network.stop();
    await reader.remove();
  }
});
