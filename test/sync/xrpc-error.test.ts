/** The codes of a host's error responses. */
import { expect, test } from 'vitest';
import { xrpcErrorOf } from '../../src/sync/http/xrpc-error.ts';

const errorOf = (status: number, body: string, headers = {}): Promise<unknown> =>
  xrpcErrorOf('com.example.method', new Response(body, { status, headers }));

test.each([
  [400, { error: 'RepoDeactivated' }, 'RepoDeactivated'],
  [401, { error: 'AccountTakedown' }, 'RepoTakendown'],
  [400, { error: 'ExpiredToken' }, 'AuthenticationRequired'],
  [400, { error: 'InvalidSwap', message: 'Record was at bafy' }, 'InvalidSwap'],
  [400, { error: 'InvalidRequest', message: 'Blob not found' }, 'BlobNotFound'],
  [400, { error: 'InvalidRequest', message: 'Could not find cids: bafy' }, 'BlockNotFound'],
  [400, { error: 'InvalidRequest', message: 'no such field' }, 'HostRejected'],
  [400, { error: 'constructor' }, 'HostRejected'],
  [401, {}, 'AuthenticationRequired'],
  [429, {}, 'RateLimitExceeded'],
  [503, {}, 'HostFailed'],
])('status %s with %j is %s', async (status, body, code) => {
  const { error = '', message = '' } = body as { error?: string; message?: string };
  const found = await errorOf(status, JSON.stringify(body));
  expect(found).toMatchObject({ code, status, error });
  expect((found as Error).message).toContain(message);
});

test.each(['', 'null', '[]', '"text"', '{"error":{}}', '<html>', '{"error":"x'])(
  'a body without an error: %s',
  async (body) => {
    expect(await errorOf(500, body)).toMatchObject({ code: 'HostFailed', error: '' });
  },
);

test('reads when a rate limit ends: at a Unix time, in seconds, or at a date', async () => {
  const at = async (headers: object): Promise<unknown> =>
    ((await errorOf(429, '{}', headers)) as { resetAt?: number }).resetAt;
  expect(await at({ 'ratelimit-reset': '1900000000' })).toBe(1_900_000_000_000);
  expect(await at({ 'retry-after': 'Wed, 01 Jan 2031 00:00:00 GMT' })).toBe(Date.UTC(2031, 0, 1));
  expect((await at({ 'retry-after': '30' })) as number).toBeGreaterThan(Date.now() + 20_000);
  expect(await at({})).toBeUndefined();
});
