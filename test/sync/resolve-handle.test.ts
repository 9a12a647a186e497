/** Handles that nothing resolves: DNS and the handle's own host fail in any order. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveAccount } from '../../src/sync.ts';

/** No server is at its port 443. */
const HANDLE = 'nobody.localhost';

let status = 3;
let delay = 0;
const dns = createServer((request, response) => {
  const { searchParams } = new URL(request.url!, 'http://localhost');
  const Question = [{ name: searchParams.get('name'), type: 16 }];
  const flags = { TC: false, RD: true, RA: true, AD: false, CD: false };
  setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/dns-json' });
    response.end(JSON.stringify({ Status: status, ...flags, Question }));
  }, delay);
});
beforeAll(() => new Promise<void>((resolve) => dns.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  dns.close();
});

const codeOf = (): Promise<unknown> => {
  const dohUrl = `http://127.0.0.1:${(dns.address() as AddressInfo).port}/dns-query`;
  return resolveAccount(HANDLE, { dohUrl, allowPrivate: true }).then(
    () => 'accepted',
    (error: { readonly code?: unknown }) => error.code,
  );
};

test.each([
  ['NXDOMAIN', 3, 'HandleNotFound'],
  ['no record', 0, 'HandleNotFound'],
  ['a failure', 2, 'HostUnreachable'],
])('DNS responds with %s, before or after the host fails: %s, %s', async (_, code, expected) => {
  status = code;
  for (delay of [0, 300]) {
    expect(await codeOf()).toBe(expected);
  }
});
