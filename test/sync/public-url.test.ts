/** Which addresses are fetched, and what a hostile host or document can cause. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveAccount } from '../../src/sync.ts';
import { assertPublicUrl, parseUrl } from '../../src/sync/http/public-url.ts';
import { createSafeFetch } from '../../src/sync/http/safe-fetch.ts';

const code = (run: () => unknown): unknown => {
  try {
    run();
    return 'accepted';
  } catch (error) {
    return (error as { readonly code?: unknown }).code;
  }
};

describe('assertPublicUrl', () => {
  test.each(['https://pds.example.com', 'https://pds.example.com:8443/', 'https://xn--bcher-kva.example'])(
    'accepts %s',
    (url) => {
      expect(code(() => assertPublicUrl(parseUrl(url)))).toBe('accepted');
    },
  );

  test.each([
    'http://pds.example.com',
    'ftp://pds.example.com',
    'file:///etc/passwd',
    'data:text/plain,1',
    'javascript:alert(1)',
    'https://127.0.0.1',
    'https://127.1',
    'https://2130706433',
    'https://0x7f.0.0.1',
    'https://017700000001',
    'https://10.0.0.1',
    'https://192.168.1.1',
    'https://169.254.169.254/latest/meta-data',
    'https://0.0.0.0',
    'https://8.8.8.8',
    'https://[::1]',
    'https://[::ffff:127.0.0.1]',
    'https://[fe80::1]',
    'https://localhost',
    'https://localhost.',
    'https://LOCALHOST',
    'https://a.localhost',
    'https://printer.local',
    'https://metadata.google.internal',
    'https://router.lan',
    'https://nas.home.arpa',
    'https://intranet',
    'https://user:secret@pds.example.com',
    'https://user@pds.example.com',
    'not a url',
    '',
  ])('refuses %s', (url) => {
    expect(code(() => assertPublicUrl(parseUrl(url)))).toBe('UnsafeHost');
  });

  test('allowPrivate accepts a server of one`s own, but no other scheme and no password', () => {
    expect(code(() => assertPublicUrl(parseUrl('http://localhost:2583'), true))).toBe('accepted');
    expect(code(() => assertPublicUrl(parseUrl('http://[::1]:1'), true))).toBe('accepted');
    expect(code(() => assertPublicUrl(parseUrl('file:///etc/passwd'), true))).toBe('UnsafeHost');
    expect(code(() => assertPublicUrl(parseUrl('http://a:b@localhost'), true))).toBe('UnsafeHost');
  });

  test('does not show a password', () => {
    expect(() => assertPublicUrl(parseUrl('https://user:secret@pds.example.com'))).toThrow(/^(?!.*secret)/);
  });
});

const SILENT = 'a host that is silent';

describe('a hostile host', () => {
  const DID = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa';
  let server: Server;
  let url: string;
  let seen: string[] = [];
  let respond: (request: IncomingMessage, response: ServerResponse) => void;

  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request.url!);
      respond(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const documentOf = (more: object): object => ({
    '@context': ['https://www.w3.org/ns/did/v1'],
    id: DID,
    alsoKnownAs: ['at://alice.example.com'],
    verificationMethod: [
      {
        id: `${DID}#atproto`,
        type: 'Multikey',
        controller: DID,
        publicKeyMultibase: 'zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme',
      },
    ],
    service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: 'https://pds.example.com' }],
    ...more,
  });
  const send =
    (body: unknown, headers: Record<string, string> = {}, status = 200): typeof respond =>
    (_, response) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body));
    };
  const resolve = (timeoutMs = 10_000): Promise<unknown> => {
    seen = [];
    return resolveAccount(DID, { plcUrl: url, dohUrl: url, allowPrivate: true, timeoutMs }).then(
      () => 'accepted',
      (error: { code?: unknown }) => error.code,
    );
  };
  const withService = (serviceEndpoint: unknown): object =>
    documentOf({ service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint }] });

  test.each<[string, unknown, () => typeof respond]>([
    ['a redirect', 'UnsafeHost', () => send('', { location: 'https://example.com/other' }, 302)],
    ['a redirect to loopback', 'UnsafeHost', () => send('', { location: `${url}/secret` }, 307)],
    ['a redirect without an address', 'UnsafeHost', () => send('', {}, 301)],
    ['a document of another DID', 'DidNotFound', () => send(documentOf({ id: 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb' }))],
    ['a document without a host', 'DidNotFound', () => send(documentOf({ service: [] }))],
    ['a document without a key', 'UnknownKey', () => send(documentOf({ verificationMethod: [] }))],
    ['no document', 'DidNotFound', () => send({ message: 'no' }, {}, 404)],
    ['a deleted account', 'DidDeactivated', () => send({ message: 'gone' }, {}, 410)],
    ['HTML', 'HostFailed', () => send('<html>', { 'content-type': 'text/html' })],
    ['JSON that is cut', 'HostFailed', () => send('{"id":')],
    ['a list', 'HostFailed', () => send('[]')],
    ['a failure', 'HostFailed', () => send('no', {}, 500)],
    ['a document of a megabyte', 'HostFailed', () => send(documentOf({ more: 'x'.repeat(1_000_000) }))],
    [
      'a decompression bomb',
      'HostFailed',
      () => send(gzipSync(new Uint8Array(50_000_000)), { 'content-encoding': 'gzip' }),
    ],
    ['plain text that claims to be gzip', 'HostUnreachable', () => send('plain', { 'content-encoding': 'gzip' })],
    [SILENT, 'HostUnreachable', () => () => undefined],
    ['a connection that breaks', 'HostUnreachable', () => (request) => void request.socket.destroy()],
    ['a host of files', 'DidNotFound', () => send(withService('file:///etc/passwd'))],
    ['a host that is a number', 'HostFailed', () => send(withService(7))],
  ])('%s gives %s', async (name, expected, handler) => {
    respond = handler();
    expect(await resolve(name === SILENT ? 200 : undefined)).toBe(expected);
    expect(seen.filter((path) => !path.startsWith(`/${encodeURIComponent(DID)}`))).toEqual([]);
  });

  test.each(['http://127.0.0.1:1', 'https://localhost', 'https://169.254.169.254'])(
    'a document cannot name a private host: %s',
    async (host) => {
      const doc = JSON.stringify(withService(host));
      const json = { headers: { 'content-type': 'application/json' } };
      const fetchOf: typeof fetch = async () => new Response(doc, json);
      await expect(resolveAccount(DID, { fetch: fetchOf })).rejects.toMatchObject({
        code: expect.stringMatching(/UnsafeHost|DidNotFound|HostFailed/),
      });
    },
  );

  test('follows three redirects where that is allowed, each checked, without Authorization', async () => {
    const authorizations: unknown[] = [];
    respond = (request, response) => {
      authorizations.push(request.headers.authorization);
      const hop = Number(/\d+/.exec(request.url!)?.[0] ?? 0);
      response.writeHead(302, { location: `/${hop + 1}` }).end();
    };
    const safeFetch = createSafeFetch({ allowPrivate: true, redirects: 3 });
    seen = [];
    await expect(safeFetch(`${url}/0`, { headers: { authorization: 'Bearer x' } })).rejects.toMatchObject({
      code: 'UnsafeHost',
    });
    expect(seen).toEqual(['/0', '/1', '/2', '/3']);
    expect(authorizations).toEqual(['Bearer x', undefined, undefined, undefined]);
    seen = [];
    await expect(safeFetch(`${url}/0`, { method: 'POST', body: 'x' })).rejects.toMatchObject({ code: 'UnsafeHost' });
    expect(seen).toEqual(['/0']);
  });

  test.each(['', 'no spaces allowed', 'did:key:zQ3sh', 'did:plc:short', 'at://', '../etc', 'alice'])(
    'asks no host for an identifier that is not valid: %j',
    async (identifier) => {
      const fetchOf: typeof fetch = async () => {
        throw new Error('asked');
      };
      await expect(resolveAccount(identifier, { fetch: fetchOf })).rejects.toMatchObject({
        code: expect.stringMatching(/HandleNotFound|InvalidDid/),
      });
    },
  );
});
