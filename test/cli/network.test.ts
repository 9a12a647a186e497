/** The network verbs without a PDS: arguments, hostile hosts, and what they send. test/network has a real PDS. */
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderOf } from '../../src/cli/network/clone.ts';
import { shellWord } from '../../src/cli/terminal/shell-word.ts';
import { generateKey } from '../../src/index.ts';
import { pdsdb } from './run-command.ts';
import { createSampleAccount } from './sample-account.ts';

const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';

let folder: string;
let remove: () => Promise<void>;
let server: Server;
let url: string;
let headers: IncomingHttpHeaders;
/** The document of every DID: the server is a PLC directory, and a PDS that has taken every account down. */
let doc: object | undefined;
const at = (name: string): string => join(folder, name);
const run = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { code, stdout } = await pdsdb([...args, '--json']);
  return { code, ...(JSON.parse(stdout) as object) };
};

beforeAll(async () => {
  ({ folder, remove } = await createSampleAccount());
  server = createServer((request, response) => {
    ({ headers } = request);
    if (request.url?.startsWith('/xrpc/') === true) {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end('{"error":"RepoTakendown","message":""}');
      return;
    }
    response.writeHead(doc === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(doc ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await remove();
});

test('requests name the program and its version', async () => {
  doc = undefined;
  const plc = ['--plc-host', url, '--allow-private'];
  expect(await run('resolve', DID, ...plc)).toMatchObject({ code: 1, error: 'DidNotFound' });
  expect(headers['user-agent']).toBe('pdsdb/1.2.3');
});

test('hosts that are not public need --allow-private', async () => {
  const { code, stderr } = await pdsdb(['resolve', DID, '--plc-host', url]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('give --allow-private)\n')]);
  expect(await run('clone', DID, at('new'), '--plc-host', url)).toMatchObject({ code: 1, error: 'UnsafeHost' });
  await pdsdb(['init', at('empty'), '--did', DID]);
  expect(await run('status', at('empty'), '--plc-host', url)).toMatchObject({
    code: 0,
    host: { state: 'unknown', error: 'UnsafeHost' },
  });
  expect(existsSync(at('new'))).toBe(false);
});

test.each([
  [['resolve', '../../etc/passwd'], 'HandleNotFound'],
  [['clone', 'alice\u001b[2J.example.com'], 'HandleNotFound'],
  [['clone', 'did:example:alice'], 'InvalidDid'],
  [['clone', DID, ''], 'InvalidRequest'],
  [['pull', 'missing'], 'RepoNotFound'],
  [['resolve', DID, '--plc-host', 'http://['], 'InvalidRequest'],
])('%j is refused', async (args, error) => {
  expect(await run(...args)).toMatchObject({ code: 1, error });
});

test('the handle of a hostile document is neither a folder nor printed as it is', async () => {
  doc = {
    id: DID,
    alsoKnownAs: ['at://../../evil\u001b[2J'],
    verificationMethod: [
      {
        id: `${DID}#atproto`,
        type: 'Multikey',
        controller: DID,
        publicKeyMultibase: generateKey().did().slice('did:key:'.length),
      },
    ],
    service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: 'http://169.254.169.254' }],
  };
  const plc = ['--plc-host', url, '--allow-private'];
  expect(await run('resolve', DID, ...plc, '--pds-host', url)).toMatchObject({ code: 0, handle: null });
  expect((await pdsdb(['resolve', DID, ...plc, '--pds-host', url])).stdout).not.toContain('\u001b');
  const cloned = await run('clone', DID, at('hostile'), ...plc, '--pds-host', url);
  expect(cloned).toMatchObject({ code: 1, error: 'RepoTakendown' });
  expect(existsSync(at('hostile'))).toBe(false);
});

test('a folder has the name of a verified handle only', () => {
  const handle = 'alice.example.com';
  expect(folderOf({ did: DID, handle, handleVerified: true })).toBe(handle);
  expect(folderOf({ did: DID, handle, handleVerified: false })).toBe('did-plc-ewvi7nxzyoun6zhxrhs64oiz');
  expect(folderOf({ did: 'did:web:localhost%3A3000', handle: undefined, handleVerified: false })).toBe(
    'did-web-localhost-3A3000',
  );
});

test('suggested commands quote their arguments', () => {
  expect(shellWord('backups/alice.example.com')).toBe('backups/alice.example.com');
  expect(shellWord("it's here; rm")).toBe(`'it'\\''s here; rm'`);
  expect(shellWord('-rf')).toBe("'-rf'");
});
