/** The forms in which the command takes a public key. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pdsdb } from './run-command.ts';
import { DID, createSampleAccount, json } from './sample-account.ts';

let account: Awaited<ReturnType<typeof createSampleAccount>>;
let at: (name: string) => string;
let key: string;
let documentOf: (did: string) => string;

beforeAll(async () => {
  account = await createSampleAccount();
  at = (name) => join(account.folder, name);
  [{ did: key }] = (await json(['key', 'inspect', at('key')])) as [{ did: string }];
  documentOf = (did) =>
    JSON.stringify(
      {
        id: did,
        verificationMethod: [
          { id: `${did}#atproto`, type: 'Multikey', publicKeyMultibase: key.slice('did:key:'.length) },
        ],
      },
      undefined,
      2,
    );
  await json(['export', at('alice'), '-o', at('alice.car')]);
  await writeFile(at('did.json'), documentOf(DID));
  await writeFile(at('did.key.txt'), `${key}\n`);
  await writeFile(at('multibase.txt'), `${key.slice('did:key:'.length)}\n`);
});
afterAll(() => account.remove());

const forms: [name: string, form: () => string, input?: (() => string) | undefined][] = [
  ['a did:key', () => key],
  ['a publicKeyMultibase', () => key.slice('did:key:'.length)],
  ['the JSON of a DID document', () => documentOf(DID)],
  ['a file with a DID document', () => at('did.json')],
  ['a file with a did:key', () => at('did.key.txt')],
  ['a file with a publicKeyMultibase', () => at('multibase.txt')],
  ['the file of the secret key', () => at('key')],
  ['standard input', () => '-', () => documentOf(DID)],
];

describe.each(forms.map(([name, form, input]) => ({ name, form, input })))('$name', ({ name, form, input }) => {
  test('verify, import and key inspect accept it', async () => {
    const options = input === undefined ? {} : { input: input() };
    for (const where of ['alice', 'alice.car']) {
      expect(await json(['verify', at(where), '--key', form()], options)).toMatchObject([{ signature: 'valid' }]);
    }
    const copy = at(`copy of ${name.replaceAll(':', ' ')}`);
    expect(await json(['import', copy, at('alice.car'), '--key', form()], options)).toMatchObject([{ created: 4 }]);
    const secret = form() === at('key');
    expect(await json(['key', 'inspect', form()], options)).toEqual([{ did: key, curve: 'secp256k1', secret }]);
  });
});

describe('input that is not a key', () => {
  test('is refused with the expected forms, and the message does not contain the file', async () => {
    const hex = (await readFile(at('key'), 'utf8')).slice('secp256k1:'.length, -2);
    await writeFile(at('half.key'), hex);
    for (const verb of [
      ['verify', at('alice'), '--key'],
      ['import', at('none'), at('alice.car'), '--key'],
      ['key', 'inspect'],
    ]) {
      const half = await pdsdb([...verb, at('half.key')]);
      expect(half).toMatchObject({ code: 1, stdout: '' });
      expect(half.stderr).toMatch(/Expected a did:key, a publicKeyMultibase .*a DID document.*half\.key/);
      expect(half.stderr).not.toContain(hex.slice(8, 16));
      expect((await pdsdb([...verb, DID])).stderr).toMatch(/expected .*pass its DID document/);
    }
  });

  test('a DID document of another account is refused', async () => {
    const foreign = documentOf('did:web:bob.example');
    for (const verb of [
      ['verify', at('alice')],
      ['verify', at('alice.car')],
      ['import', at('none'), at('alice.car')],
    ]) {
      expect((await pdsdb([...verb, '--key', foreign, '--json'])).stdout).toContain('"UnknownKey"');
    }
  });
});
