/** Sessions by a password at a real PDS: expired tokens, refused passwords, and what is stored. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { passwordSession } from '../../src/sync.ts';
import type { PasswordSession, SessionStore } from '../../src/sync.ts';
import { callXrpc } from '../../src/sync/http/xrpc.ts';
import { useNetwork } from './network.ts';
import type { HostedAccount } from './network.ts';
import { lacksPds, why } from './network-test.ts';

/** Returns a token with the same claims, except that it has expired. The harness sets the secret. */
const expire = (token: string): string => {
  const [header, claims] = token.split('.');
  const fields = JSON.parse(Buffer.from(claims!, 'base64url').toString()) as object;
  const expired = Buffer.from(JSON.stringify({ ...fields, exp: 1_000_000_000 })).toString('base64url');
  const signature = createHmac('sha256', 'jwt-secret-of-pds-number-0')
    .update(`${header}.${expired}`)
    .digest('base64url');
  return `${header}.${expired}.${signature}`;
};

const memoryStore = (): SessionStore & { text: string | undefined } => ({
  text: undefined,
  async get() {
    return this.text;
  },
  async set(text) {
    this.text = text;
  },
});
type Fields = { accessJwt: string; refreshJwt: string };

describe.skipIf(lacksPds)(`passwordSession${why}`, () => {
  const network = useNetwork({ proxy: true });
  let account: HostedAccount;
  beforeAll(async () => {
    account = await network.pds[0]!.createAccount();
  });
  afterAll(() => network.stop());

  const calls = (nsid: string): number => network.pds[0]!.faults.log.filter(({ url }) => url.includes(nsid)).length;
  const open = (store?: SessionStore): PasswordSession =>
    passwordSession({
      service: network.pds[0]!.url,
      identifier: account.handle,
      password: account.password,
      allowPrivate: true,
      store,
    });
  const whoAmI = async (session: PasswordSession): Promise<unknown> =>
    ((await callXrpc(session, 'com.atproto.server.getSession')) as { did: string }).did;
  /** Runs calls with tokens that have expired, and returns the number of sign-ins and refreshes. */
  const withExpired = async (names: readonly (keyof Fields)[], concurrent = 1): Promise<[number, number]> => {
    const store = memoryStore();
    await open(store).signIn();
    const fields = JSON.parse(store.text!) as Fields;
    for (const name of names) {
      fields[name] = expire(fields[name]);
    }
    store.text = JSON.stringify(fields);
    const session = open(store);
    const before = [calls('createSession'), calls('refreshSession')] as const;
    const dids = await Promise.all(Array.from({ length: concurrent }, () => whoAmI(session)));
    expect(new Set(dids)).toEqual(new Set([account.did]));
    expect(store.text).not.toContain(fields.accessJwt);
    return [calls('createSession') - before[0], calls('refreshSession') - before[1]];
  };

  test('signs in at the first call, once for concurrent calls', async () => {
    const session = open();
    expect(session.did).toBeUndefined();
    const before = calls('createSession');
    await Promise.all([whoAmI(session), whoAmI(session), whoAmI(session)]);
    expect(calls('createSession') - before).toBe(1);
    expect(session.did).toBe(account.did);
  });

  test('refreshes an expired token once for concurrent calls', async () => {
    expect(await withExpired(['accessJwt'], 8)).toEqual([0, 1]);
  });

  test('signs in again when the refresh token is over too', async () => {
    expect(await withExpired(['accessJwt', 'refreshJwt'], 4)).toEqual([1, 1]);
  });

  test('keeps the tokens when the refresh fails for lack of a connection', async () => {
    const store = memoryStore();
    await open(store).signIn();
    const fields = JSON.parse(store.text!) as Fields;
    store.text = JSON.stringify({ ...fields, accessJwt: expire(fields.accessJwt) });
    const session = open(store);
    const before = calls('createSession');
    network.pds[0]!.faults.next({ match: /refreshSession/, refuse: true });
    await expect(whoAmI(session)).rejects.toMatchObject({ code: 'HostUnreachable' });
    network.pds[0]!.faults.next({ match: /refreshSession/, status: 503 });
    await expect(whoAmI(session)).rejects.toMatchObject({ code: 'HostFailed' });
    expect(await whoAmI(session)).toBe(account.did);
    expect(calls('createSession')).toBe(before);
  });

  test('uses the tokens that another session has refreshed', async () => {
    const store = memoryStore();
    await open(store).signIn();
    const good = store.text!;
    const fields = JSON.parse(good) as Fields;
    store.text = JSON.stringify({
      ...fields,
      accessJwt: expire(fields.accessJwt),
      refreshJwt: expire(fields.refreshJwt),
    });
    const session = open(store);
    await session.signIn();
    store.text = good;
    const before = calls('Session');
    expect(await whoAmI(session)).toBe(account.did);
    // Two calls of getSession, with the old token and with the stored one.
    expect(calls('Session') - before).toBe(2);
  });

  test('rejects a wrong password without showing it, and does not store it', async () => {
    const store = memoryStore();
    const { url: service } = network.pds[0]!;
    const password = 'wrong-password';
    const session = passwordSession({ service, identifier: account.handle, password, allowPrivate: true, store });
    const error: unknown = await whoAmI(session).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'AuthenticationRequired' });
    expect(String(error)).not.toContain(password);
    expect(store.text).toBeUndefined();
  });

  test('signs out at the host and in the store', async () => {
    const store = memoryStore();
    const session = open(store);
    await session.signIn();
    expect(store.text).not.toContain(account.password);
    const { refreshJwt } = JSON.parse(store.text!) as Fields;
    await session.signOut();
    expect(store.text).toBeUndefined();
    await expect(whoAmI(session)).rejects.toMatchObject({ code: 'AuthenticationRequired' });
    const refresh = await fetch(`${network.pds[0]!.url}/xrpc/com.atproto.server.refreshSession`, {
      method: 'POST',
      headers: { authorization: `Bearer ${refreshJwt}` },
    });
    expect(refresh.status).toBe(400);
  });
});
