/** `follow` over the firehose of a real PDS, through restarts, faults, rotations and a move to another host. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Repo } from '../../src/index.ts';
import { openOrCreateRepo } from '../../src/node.ts';
import { follow } from '../../src/sync.ts';
import type { Follow, FollowOptions, FollowUpdate, WebSocketClass } from '../../src/sync.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { createDriver, useNetwork } from './network.ts';
import type { Driver, HostedAccount, Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';

/** Milliseconds within which the copy must have the head of its host. */
const WITHIN = 5000;

/** A running `follow`, and what it has reported. */
class Watched {
  readonly updates: FollowUpdate[] = [];
  readonly #follow: Follow;
  readonly #repo: Repo;
  readonly #done: Promise<void>;

  constructor(repo: Repo, options: FollowOptions) {
    this.#repo = repo;
    this.#follow = follow(repo, options);
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    for await (const update of this.#follow) {
      this.updates.push(update);
    }
  }

  /** Milliseconds until a condition holds. */
  async until(holds: () => Promise<boolean> | boolean, most = WITHIN): Promise<number> {
    const start = Date.now();
    while (!(await holds())) {
      if (Date.now() - start > most) {
        throw new Error(`not within ${most} ms: ${JSON.stringify(this.updates.slice(-5), undefined, 1)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return Date.now() - start;
  }

  hasHead(cid: () => string): Promise<number> {
    return this.until(async () => (await this.#repo.head())?.cid.toString() === cid());
  }

  /** Waits for a state that is reported after this call. */
  entered(state: string, most?: number): Promise<number> {
    const from = this.updates.length;
    return this.until(
      () => this.updates.slice(from).some((update) => update.type === 'state' && update.state === state),
      most,
    );
  }

  get state(): string {
    return this.#follow.state;
  }

  async close(): Promise<void> {
    await this.#follow.close();
    await this.#done;
  }
}

describe.skipIf(lacksPds)(`a copy that follows a PDS${why}`, () => {
  const network = useNetwork({ proxy: true });
  let pds: Pds;
  let account: HostedAccount;
  let driver: Driver;
  const folder = scratchFolder('follow');
  let repo: Repo;
  let WebSocket: WebSocketClass;
  const options = (): FollowOptions => ({
    plcUrl: network.plcUrl,
    dohUrl: network.plcUrl,
    allowPrivate: true,
    WebSocket,
  });
  const watch = (more: FollowOptions = {}): Watched => new Watched(repo, { ...options(), ...more });
  const lookups = async (): Promise<number> =>
    (JSON.parse((await repo.meta.get('app:sync:account')) ?? '{}') as { readonly fetchedAt: number }).fetchedAt;

  beforeAll(async () => {
    ({ WebSocket } = (await import('ws' as string)) as { WebSocket: WebSocketClass });
    pds = network.pds[0]!;
    account = await pds.createAccount({ name: 'alice' });
    driver = await createDriver(account, { seed: 5 });
    await driver.run(20);
    repo = await openOrCreateRepo(join(folder, 'copy'), { did: account.did });
  });
  afterAll(async () => {
    await repo?.close();
  });

  test('catches up from nothing, then applies each commit as it happens', async () => {
    const watched = watch();
    await watched.entered('live');
    for (let i = 0; i < 5; i++) {
      await driver.run(10);
      await watched.hasHead(() => driver.head.cid);
    }
    const byEvent = watched.updates.filter((update) => update.type === 'change' && update.via === 'event');
    expect(byEvent.length).toBeGreaterThan(30);
    await watched.close();
    expect(watched.state).toBe('closed');
    // Blobs of events are fetched by the next pull.
    const again = watch();
    await again.entered('live');
    await again.close();
    expect([...(await repo.refs()).keys()].filter((ref) => ref.startsWith('local-'))).toEqual([]);
  });

  test('continues from its cursor, and applies what happened meanwhile as events', async () => {
    await driver.run(15);
    const before = pds.faults.log.length;
    const watched = watch();
    await watched.entered('live');
    await watched.hasHead(() => driver.head.cid);
    expect(pds.faults.log.slice(before).filter(({ url }) => /getRepo/.test(url))).toEqual([]);
    await watched.close();
  });

  test('connects again after restarts and broken connections', async () => {
    const watched = watch();
    await watched.entered('live');
    for (const fault of ['drop', 'restart', 'cut'] as const) {
      if (fault === 'drop') {
        pds.faults.dropAll();
      } else if (fault === 'restart') {
        await pds.restart();
      } else {
        pds.faults.next({ match: /subscribeRepos/, cutFrames: 500 });
        pds.faults.dropAll();
      }
      // The connections of the driver are broken too.
      await new Promise((resolve) => setTimeout(resolve, 200));
      await driver.run(10);
      await watched.until(async () => (await repo.head())?.cid.toString() === driver.head.cid, 15_000);
    }
    expect(watched.updates.some((update) => update.type === 'state' && update.state === 'offline')).toBe(true);
    await watched.close();
  });

  test('pulls when its cursor is in the future or too old', async () => {
    await repo.meta.set('app:sync:cursor', JSON.stringify({ host: pds.url, seq: 1_000_000 }));
    await driver.run(5);
    const future = watch();
    await future.until(async () => (await repo.head())?.cid.toString() === driver.head.cid, 10_000);
    await future.close();
    await repo.meta.set('app:sync:cursor', JSON.stringify({ host: pds.url, seq: 1 }));
    await driver.run(5);
    await pds.ageEvents(3 * 24 * 60 * 60 * 1000);
    const old = watch();
    await old.hasHead(() => driver.head.cid);
    await old.close();
  });

  test('follows a rotation of the key with one lookup', async () => {
    const watched = watch();
    await watched.entered('live');
    const before = await lookups();
    await pds.rotateKey(account.did);
    await watched.until(async () => (await lookups()) !== before);
    const once = await lookups();
    await driver.run(5);
    await watched.hasHead(() => driver.head.cid);
    expect(await lookups()).toBe(once);
    await watched.close();
  });

  test('reports that the account is inactive, and continues when it is active', async () => {
    const watched = watch();
    await watched.entered('live');
    const inactive = watched.entered('inactive');
    await pds.takedown(account.did);
    await inactive;
    const live = watched.entered('live', 10_000);
    await pds.takedown(account.did, false);
    await live;
    await watched.close();
  });

  test('finds by its checks what the host does not announce', async () => {
    const car = Buffer.concat([
      new Uint8Array(await (await fetch(`${pds.url}/xrpc/com.atproto.sync.getRepo?did=${account.did}`)).arrayBuffer()),
    ]);
    const watched = watch({ checkMs: 300 });
    await watched.entered('live');
    await driver.run(3);
    await watched.hasHead(() => driver.head.cid);
    await (account.agent as any).com.atproto.repo.importRepo(new Uint8Array(car), {
      encoding: 'application/vnd.ipld.car',
    });
    const latest = async (): Promise<string> =>
      (
        (await (await fetch(`${pds.url}/xrpc/com.atproto.sync.getLatestCommit?did=${account.did}`)).json()) as {
          cid: string;
        }
      ).cid;
    const cid = await latest();
    expect(cid).not.toBe(driver.head.cid);
    // The host has gone back to an older commit. That is reported, and not taken over.
    await watched.until(() =>
      watched.updates.some((update) => update.type === 'state' && update.reason === 'rolledBack'),
    );
    expect((await repo.head())?.cid.toString()).toBe(driver.head.cid);
    await watched.close();
  });

  test.each(['poll', 'jetstream'] as const)('pulls when it hears of a change: %s', async (source) => {
    const { WebSocketServer } = (await import('ws' as string)) as {
      WebSocketServer: new (
        options: object,
      ) => {
        readonly clients: Iterable<{ send(text: string): void }>;
        address(): { readonly port: number };
        once(event: 'listening', listener: () => void): void;
        close(): void;
      };
    };
    const other = await pds.createAccount({ name: `${source}er` });
    const writer = await createDriver(other, { seed: 6 });
    await writer.run(5);
    const copy = await openOrCreateRepo(join(folder, source), { did: other.did });
    const jetstream = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => jetstream.once('listening', () => resolve(undefined)));
    const jetstreamUrl = `ws://127.0.0.1:${jetstream.address().port}`;
    const watched = new Watched(copy, {
      ...options(),
      source,
      jetstreamUrl,
      checkMs: source === 'poll' ? 200 : 60_000,
    });
    await watched.entered('live');
    await writer.run(5);
    for (const client of jetstream.clients) {
      client.send(JSON.stringify({ did: other.did, time_us: 1, kind: 'commit' }));
    }
    await watched.hasHead(() => writer.head.cid);
    await watched.close();
    jetstream.close();
    await copy.close();
  });

  test('ends at once from inside its loop, and by its signal', async () => {
    const following = follow(repo, options());
    for await (const _ of following) {
      await following.close();
    }
    expect(following.state).toBe('closed');
    const abort = new AbortController();
    const watched = watch({ signal: abort.signal });
    await watched.until(() => watched.state !== 'connecting');
    abort.abort();
    await watched.until(() => watched.state === 'closed');
  });
});
