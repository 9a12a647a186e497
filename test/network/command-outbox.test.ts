/** The verbs `login`, `outbox`, `push`, `follow` and `logout` with a real PDS. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { jsonLines, pdsdb } from '../cli/run-command.ts';
import type { Outcome, RunOptions } from '../cli/run-command.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { useNetwork } from './network.ts';
import type { HostedAccount, Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';

const NOTE = 'com.example.note';

describe.skipIf(lacksPds)(`writes through the command to a PDS${why}`, () => {
  const network = useNetwork({ proxy: true });
  let pds: Pds;
  let account: HostedAccount;
  const folder = scratchFolder('command-outbox');
  let repo: string;
  const options = (): string[] => ['--pds-host', pds.url, '--plc-host', network.plcUrl, '--allow-private'];
  const run = (args: string[], more: RunOptions = {}): Promise<Outcome> =>
    pdsdb([...args, ...options(), '--json'], more);
  const local = async (...args: string[]): Promise<unknown[]> => jsonLines((await pdsdb([...args, '--json'])).stdout);
  const push = async (more: RunOptions = {}): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await run(['push', repo], more);
    return { code, stderr, ...(jsonLines(stdout)[0] as object) };
  };
  const atHost = async (rkey: string): Promise<string | undefined> => {
    const params = new URLSearchParams({ repo: account.did, collection: NOTE, rkey });
    const response = await fetch(`${pds.url}/xrpc/com.atproto.repo.getRecord?${params}`);
    return response.ok ? ((await response.json()) as { value: { text: string } }).value.text : undefined;
  };
  const putAtHost = (rkey: string, text: string): Promise<unknown> =>
    account.agent.com.atproto.repo['putRecord']!({
      repo: account.did,
      collection: NOTE,
      rkey,
      record: { $type: NOTE, text },
    });

  beforeAll(async () => {
    repo = join(folder, 'alice');
    pds = network.pds[0]!;
    account = await pds.createAccount({ name: 'alice' });
    expect((await run(['clone', account.handle, repo])).code).toBe(0);
  });

  test('login keeps the tokens in a file of mode 0600, and never the password', async () => {
    const file = `${repo}.session`;
    const wrong = await run(['login', repo], { env: { PDSDB_PASSWORD: 'wrong' } });
    expect([wrong.code, existsSync(file)]).toEqual([1, false]);
    expect(JSON.parse(wrong.stdout)).toMatchObject({ error: 'AuthenticationRequired' });
    const none = await run(['login', repo]);
    expect(none.code).toBe(1);
    expect(none.stdout + none.stderr).toContain('PDSDB_PASSWORD');
    const right = await run(['login', repo], { env: { PDSDB_PASSWORD: account.password } });
    expect(JSON.parse(right.stdout)).toEqual({ did: account.did, service: pds.url, file });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).not.toContain(account.password);
    // A known session does not make a wrong password right.
    expect((await run(['login', repo], { env: { PDSDB_PASSWORD: 'wrong' } })).code).toBe(1);
  });

  test('login refuses the session of another account', async () => {
    const other = await pds.createAccount({ name: 'bob' });
    const args = ['login', repo, '--identifier', other.handle, '--session', join(folder, 'other.session')];
    const { code, stdout } = await run(args, { env: { PDSDB_PASSWORD: other.password } });
    expect([code, JSON.parse(stdout)]).toMatchObject([1, { error: 'WrongDid' }]);
    expect(existsSync(join(folder, 'other.session'))).toBe(false);
  });

  test('outbox put waits, and push sends it', async () => {
    await local('outbox', 'put', repo, `${NOTE}/one`, '{"text":"first"}');
    expect(await local('outbox', 'ls', repo)).toMatchObject([
      { path: `${NOTE}/one`, action: 'create', state: 'queued' },
    ]);
    expect(await atHost('one')).toBeUndefined();
    expect(await push()).toMatchObject({ code: 0, status: 'done', landed: [`${NOTE}/one`], pending: 0 });
    expect(await atHost('one')).toBe('first');
    expect(await local('outbox', 'ls', repo)).toEqual([]);
    expect(await local('get', repo, `${NOTE}/one`)).toMatchObject([{ value: { text: 'first' } }]);
  });

  test('a conflict is listed, and resolve ends it', async () => {
    await local('outbox', 'put', repo, `${NOTE}/one`, '{"text":"ours"}');
    await local('outbox', 'put', repo, `${NOTE}/two`, '{"text":"two"}');
    await putAtHost('one', 'theirs');
    const pushed = await push();
    expect(pushed).toMatchObject({ code: 1, status: 'done', conflicts: [`${NOTE}/one`], landed: [`${NOTE}/two`] });
    expect(pushed['stderr']).toContain('pdsdb outbox ls');
    expect(await local('outbox', 'ls', repo)).toMatchObject([{ path: `${NOTE}/one`, state: 'conflict' }]);
    await local('outbox', 'resolve', repo, `${NOTE}/one`, '{"text":"both"}');
    expect(await push()).toMatchObject({ code: 0, landed: [`${NOTE}/one`] });
    expect(await atHost('one')).toBe('both');
  });

  test('outbox rm deletes at the host, and discard drops a change', async () => {
    await local('outbox', 'rm', repo, `${NOTE}/two`);
    await local('outbox', 'put', repo, `${NOTE}/three`, '{"text":"three"}');
    expect(await local('outbox', 'discard', repo, `${NOTE}/three`)).toEqual([
      { path: `${NOTE}/three`, discarded: true },
    ]);
    expect(await push()).toMatchObject({ code: 0, landed: [`${NOTE}/two`] });
    expect([await atHost('two'), await atHost('three')]).toEqual([undefined, undefined]);
  });

  test('a push that the host does not serve keeps the changes, and says what to do', async () => {
    await local('outbox', 'put', repo, `${NOTE}/later`, '{"text":"later"}');
    pds.faults.next({ match: /putRecord/, status: 429, headers: { 'ratelimit-reset': '1900000000' } });
    const limited = await push();
    expect(limited).toMatchObject({ code: 1, status: 'rateLimited', pending: 1 });
    expect(limited['stderr']).toContain('2030-03-17');
    expect(await push()).toMatchObject({ code: 0, landed: [`${NOTE}/later`] });
  });

  test('follow prints each change until Ctrl-C', async () => {
    const abort = new AbortController();
    const following = run(['follow', repo, '--source', 'poll', '--every', '1'], { signal: abort.signal });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await putAtHost('followed', 'live');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    abort.abort(new DOMException('Ctrl-C', 'AbortError'));
    const { code, stdout } = await following;
    expect(code).toBe(130);
    const changes = jsonLines(stdout).flatMap((line) => (line as { changes?: unknown[] }).changes ?? []);
    expect(changes).toMatchObject([{ action: 'create', path: `${NOTE}/followed` }]);
    expect(await local('get', repo, `${NOTE}/followed`)).toMatchObject([{ value: { text: 'live' } }]);
  });

  test('logout ends the session and removes its file; push asks to sign in', async () => {
    const { stdout } = await run(['logout', repo]);
    expect(JSON.parse(stdout)).toEqual({ file: `${repo}.session`, ended: true });
    expect(existsSync(`${repo}.session`)).toBe(false);
    await local('outbox', 'put', repo, `${NOTE}/last`, '{"text":"last"}');
    const { code, stdout: text, stderr } = await run(['push', repo]);
    expect(code).toBe(1);
    expect(text + stderr).toContain('PDSDB_PASSWORD');
    // A password in the environment needs no login, and is not stored.
    const pushed = await push({ env: { PDSDB_PASSWORD: account.password } });
    expect(pushed).toMatchObject({ code: 0, landed: [`${NOTE}/last`] });
    expect(existsSync(`${repo}.session`)).toBe(false);
  });
});
