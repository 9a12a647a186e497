/**
 * Faults of hosts and connections, at each call of a pull. `PDSDB_FAULTS` is the number of runs. In each run of
 * several, every fault happens twice at every call: once, and at each attempt.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Car, Repo } from '../../src/index.ts';
import { isRepoError, readCar, writeCar } from '../../src/index.ts';
import { openOrCreateRepo } from '../../src/node.ts';
import { pull } from '../../src/sync.ts';
import type { PullOptions } from '../../src/sync.ts';
import { seeded } from '../random/seeded.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { createDriver, useNetwork } from './network.ts';
import type { Driver, Fault, HostedAccount, Pds } from './network.ts';
import { lacksPds, why } from './network-test.ts';
import { expectTruth } from './truth.ts';

const RUNS = Number(process.env['PDSDB_FAULTS'] ?? 1);
const CAR = { 'content-type': 'application/vnd.ipld.car' };
const random = seeded(77);
/** More than all attempts of a pull. */
const ALWAYS = 60;

/** Leaves blocks out of a CAR. Returns another body as it is. */
const withoutBlocks = (body: Buffer): Buffer => {
  let roots: Car['roots'];
  try {
    ({ roots } = readCar(body));
  } catch {
    return body;
  }
  const blocks = [...readCar(body)];
  return Buffer.from(
    writeCar(
      roots,
      blocks.filter(() => random() < 0.7),
    ),
  );
};

/** Each fault of a response. `other` is the CAR of another account. */
const faultsOf = (other: () => Buffer): Readonly<Record<string, Fault>> => ({
  'cut at 0 bytes': { cutAfter: 0 },
  'cut inside the header': { cutAfter: 10 },
  'cut at 59 bytes': { cutAfter: 59 },
  'ends at 59 bytes': { endAfter: 59 },
  'ends inside the header': { endAfter: 10 },
  'one byte short': { edit: (body) => body.subarray(0, -1) },
  'a block less': { edit: withoutBlocks },
  'a bit flipped': {
    edit: (body) => {
      const copy = Buffer.from(body);
      const at = Math.floor(random() * copy.length);
      copy[at] = copy[at]! ^ (1 << Math.floor(random() * 8));
      return copy;
    },
  },
  HTML: { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Welcome</html>' },
  'plain text that claims to be gzip': { status: 200, headers: { ...CAR, 'content-encoding': 'gzip' }, body: 'plain' },
  'a redirect to loopback': { status: 302, headers: { location: 'http://127.0.0.1:9/secret' }, body: '' },
  'a redirect to files': { status: 302, headers: { location: 'file:///etc/passwd' }, body: '' },
  'the CAR of another account': { edit: () => other() },
  'status 429': { status: 429, headers: { 'ratelimit-reset': '1' } },
  'status 502': { status: 502, headers: { 'content-type': 'text/html' }, body: 'Bad gateway' },
  'status 401': { status: 401, body: { error: 'AuthMissing', message: 'no' } },
  'a refused connection': { refuse: true },
  'a stall': { stall: 1500 },
});

const CALLS: Readonly<Record<string, RegExp>> = {
  getLatestCommit: /getLatestCommit/,
  'getRepo since': /getRepo\?.*since=/,
  getRepo: /getRepo\?(?!.*since=)/,
  getBlob: /getBlob/,
};

describe.skipIf(lacksPds)(`a pull through faults${why}`, () => {
  const network = useNetwork({ proxy: true });
  let pds: Pds;
  let account: HostedAccount;
  let driver: Driver;
  const folder = scratchFolder('faults');
  let otherCar: Buffer;
  let copies = 0;
  const heads = new Set<string>();
  const table = new Map<string, Map<string, number>>();
  const options = (): PullOptions => ({
    plcUrl: network.plcUrl,
    pdsUrl: pds.url,
    allowPrivate: true,
    retryMs: 1,
    timeoutMs: 60_000,
    stallMs: 60_000,
  });
  const create = (): Promise<Repo> => openOrCreateRepo(join(folder, `copy${copies++}`), { did: account.did });
  const move = async (): Promise<void> => {
    await driver.run(3);
    await driver.step('create');
    for (const { cid } of driver.history) {
      heads.add(cid);
    }
  };
  const carOf = async (did: string): Promise<Buffer> =>
    Buffer.from(await (await fetch(`${pds.directUrl}/xrpc/com.atproto.sync.getRepo?did=${did}`)).arrayBuffer());

  beforeAll(async () => {
    pds = network.pds[0]!;
    const other = await pds.createAccount({ name: 'mallory' });
    await (await createDriver(other, { seed: 1 })).run(5);
    otherCar = await carOf(other.did);
  });
  // A new account for each fault, so that the cost of a pull does not rise with the pulls before it.
  beforeEach(async () => {
    account = await pds.createAccount();
    driver = await createDriver(account, { seed: 9 });
    heads.clear();
    await driver.run(40);
    await move();
  });
  afterAll(async () => {
    const outcomes = [...new Set([...table.values()].flatMap((row) => [...row.keys()]))].sort();
    console.table(
      Object.fromEntries(
        [...table].map(([name, row]) => [name, Object.fromEntries(outcomes.map((one) => [one, row.get(one) ?? 0]))]),
      ),
    );
  });

  /** Pulls once with a fault, checks the copy, and pulls again without it. Returns the outcome. */
  const pullWith = async (repo: Repo, fault: Fault): Promise<string> => {
    const before = (await repo.head())?.cid.toString();
    pds.faults.next(fault);
    let outcome: string;
    try {
      const { status, blobs } = await pull(repo, {
        ...options(),
        ...(fault.stall === undefined ? {} : { stallMs: 300 }),
      });
      outcome = blobs.failed.length > 0 ? `${status}, ${blobs.failed[0]!.error.code}` : status;
    } catch (error) {
      expect(isRepoError(error)).toBe(true);
      expect((error as Error).message).toMatch(/: /);
      outcome = (error as { readonly code: string }).code;
    }
    pds.faults.clear();
    const head = (await repo.head())?.cid.toString();
    expect(head === before || heads.has(head!)).toBe(true);
    expect(['current', 'updated', 'resynced']).toContain((await pull(repo, options())).status);
    await expectTruth(repo, driver);
    return outcome;
  };

  test.each(Object.keys(faultsOf(() => Buffer.alloc(0))))('%s', { timeout: 120_000 * RUNS }, async (name) => {
    const fault = faultsOf(() => otherCar)[name]!;
    for (let run = 0; run < RUNS; run++) {
      for (const [call, match] of Object.entries(CALLS)) {
        for (const times of [1, ALWAYS]) {
          // A single run has each fault at each call once.
          const isLeftOut = RUNS === 1 && (times === 1) === ((name.length + call.length) % 2 === 0);
          if (isLeftOut) {
            continue;
          }
          const repo = await create();
          if (call !== 'getRepo') {
            await pull(repo, { ...options(), blobs: call !== 'getBlob' });
            await move();
          }
          const outcome = await pullWith(repo, { ...fault, match, times });
          const row = table.get(`${name}, ${call}`) ?? new Map<string, number>();
          table.set(`${name}, ${call}`, row.set(outcome, (row.get(outcome) ?? 0) + 1));
          expect((await repo.verify()).faults).toEqual([]);
          await repo.close();
        }
      }
    }
  });

  test('completes a CAR that was torn by writes while it was read', { timeout: 120_000 }, async () => {
    const large = await pds.createAccount({ name: 'large' });
    const writer = await createDriver(large, { seed: 4 });
    for (let i = 0; i < 12; i++) {
      await writer.step('batch', 150);
    }
    const repo = await openOrCreateRepo(join(folder, 'torn'), { did: large.did });
    // The host reads the root first. Blocks of that root are replaced while the rest is read.
    const old = await carOf(large.did);
    await writer.run(10);
    const { roots } = readCar(old);
    const now = new Map([...readCar(await carOf(large.did))].map((block) => [block.cid.toString(), block]));
    const torn = writeCar(
      roots,
      [...readCar(old)].filter(({ cid }) => now.has(cid.toString()) || cid.equals(roots[0]!)),
    );
    pds.faults.next({ match: /getRepo/, edit: () => Buffer.from(torn) });
    const from = pds.faults.log.length;
    expect(await pull(repo, options())).toMatchObject({ status: 'updated' });
    await expectTruth(repo, writer);
    const calls = pds.faults.log.slice(from).filter(({ url }) => /getRepo\?/.test(url));
    expect(calls.map(({ url }) => /since=/.test(url))).toEqual([false, true]);
    await repo.close();
  });
});
