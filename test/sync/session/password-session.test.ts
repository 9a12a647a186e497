/** Where a session by a password sends its tokens, and what it keeps. A real PDS is in test/network. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { passwordSession } from '../../../src/sync.ts';
import { tokensFromText, tokensToText } from '../../../src/sync/session/session-tokens.ts';

const servers: Server[] = [];
/** Starts a server on loopback, and returns its address and the requests that it got. */
const serve = async (
  respond: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; log: IncomingMessage[] }> => {
  const log: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    log.push(request);
    request.resume().on('end', () => respond(request, response));
  });
  servers.push(server);
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, log };
};
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

const tokens = { did: 'did:plc:ewvi7nxzyoun6zhxrhs64oiz', accessJwt: 'access', refreshJwt: 'refresh' };
const sendJson = (response: ServerResponse, value: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
};
const account = { identifier: 'alice.test', password: 'secret-password', allowPrivate: true };

test('never follows a redirect, so that no other host gets the token', async () => {
  const other = await serve((_, response) => sendJson(response, {}));
  const host = await serve((request, response) => {
    if (request.url!.includes('createSession')) {
      sendJson(response, tokens);
    } else {
      response.writeHead(307, { location: `${other.url}/xrpc/com.example.method` }).end();
    }
  });
  const session = passwordSession({ service: host.url, ...account });
  await expect(session('/xrpc/com.example.method', {})).rejects.toMatchObject({ code: 'UnsafeHost' });
  await expect(session('/xrpc/com.example.method', { method: 'POST', body: '{}' })).rejects.toMatchObject({
    code: 'UnsafeHost',
  });
  expect(other.log).toEqual([]);
  expect(host.log.at(-1)!.headers.authorization).toBe('Bearer access');
});

test.each(['//other.example/xrpc/a', 'https://other.example/xrpc/a', '/oauth/token', '/xrpc/../admin'])(
  'sends nothing to %s',
  async (pathname) => {
    const host = await serve((_, response) => sendJson(response, tokens));
    const session = passwordSession({ service: host.url, ...account });
    await expect(session(pathname, {})).rejects.toMatchObject({ code: 'UnsafeHost' });
    expect(host.log.filter(({ url }) => !url!.includes('createSession'))).toEqual([]);
  },
);

test('accepts only public https hosts by default', async () => {
  for (const service of ['http://pds.example.com', 'https://127.0.0.1', 'nonsense']) {
    const signIn = async (): Promise<string> => passwordSession({ service, identifier: 'a', password: 'b' }).signIn();
    await expect(signIn()).rejects.toMatchObject({ code: 'UnsafeHost' });
  }
});

test('rejects a response that is not a session', async () => {
  for (const value of [{}, [], { ...tokens, accessJwt: 'a\nb' }, { ...tokens, refreshJwt: 1 }]) {
    const host = await serve((_, response) => sendJson(response, value));
    const error: unknown = await passwordSession({ service: host.url, ...account })
      .signIn()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'HostFailed' });
    expect(String(error)).not.toContain(account.password);
  }
});

test('a call stops with its own signal and with that of the session', async () => {
  const host = await serve((request, response) => {
    if (request.url!.includes('createSession')) {
      sendJson(response, tokens);
    }
  });
  const [all, one] = [new AbortController(), new AbortController()];
  const session = passwordSession({ service: host.url, ...account, signal: all.signal });
  await session.signIn();
  const first = session('/xrpc/com.example.method', { signal: one.signal });
  const second = session('/xrpc/com.example.method', {});
  one.abort(new Error('one'));
  await expect(first).rejects.toThrow('one');
  all.abort(new Error('all'));
  await expect(second).rejects.toThrow('all');
});

test('the stored text is for one account at one service', () => {
  const owner = { origin: 'https://pds.example.com', identifier: 'alice.test' };
  const text = tokensToText(tokens, owner);
  expect(tokensFromText(text, owner)).toEqual(tokens);
  expect(tokensFromText(text, { ...owner, origin: 'https://other.example.com' })).toBeUndefined();
  expect(tokensFromText(text, { ...owner, identifier: 'bob.test' })).toBeUndefined();
  for (const wrong of [undefined, '', '{', '1', 'null', '[]', JSON.stringify({ ...owner, ...tokens, did: 5 })]) {
    expect(tokensFromText(wrong, owner)).toBeUndefined();
  }
});
