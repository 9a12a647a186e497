/** A leader that is frozen without notice: it keeps its lock and the files, and sends nothing. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Heartbeat } from '../../../src/adapters/tabs/heartbeat.ts';
import { RepoError } from '../../../src/core/errors.ts';
import type { HeadChange, Repo } from '../../../src/core/repo/repo.ts';
import { DID, POST, post } from '../../../src/testing/repo/harness.ts';
import { PlayedBrowser } from '../rpc/tabs.ts';
import type { PlayedTab } from '../rpc/tabs.ts';

const BEAT_MS = 2_500;

afterEach(() => {
  vi.useRealTimers();
});

describe('a heartbeat', () => {
  let pings: number;
  let silences: number;
  let isWaiting: boolean;
  let heartbeat: Heartbeat;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    [pings, silences, isWaiting] = [0, 0, false];
    heartbeat = new Heartbeat(
      () => isWaiting,
      () => (pings += 1),
      () => (silences += 1),
    );
  });

  const call = (): void => {
    isWaiting = true;
    heartbeat.start();
  };
  const beats = (count: number): void => void vi.advanceTimersByTime(count * BEAT_MS);

  test('asks nothing while replies are quick, or nothing is asked', () => {
    beats(3);
    call();
    isWaiting = false;
    beats(3);
    expect([pings, vi.getTimerCount()]).toEqual([0, 0]);
  });

  test('asks after a reply that is long in coming, for as long as there are signs of life', () => {
    call();
    for (let i = 0; i < 20; i++) {
      beats(1);
      heartbeat.heard();
    }
    isWaiting = false;
    beats(2);
    expect([pings, silences, vi.getTimerCount()]).toEqual([20, 0, 0]);
  });

  test('times out once after ten seconds without a reply, and starts again with the next call', () => {
    call();
    beats(4);
    expect([pings, silences]).toEqual([4, 0]);
    beats(1);
    expect([pings, silences, vi.getTimerCount()]).toEqual([4, 1, 0]);
    call();
    beats(4);
    expect([pings, silences]).toEqual([8, 1]);
  });

  test('counts from the start after it was stopped', () => {
    call();
    beats(4);
    heartbeat.stop();
    beats(10);
    heartbeat.start();
    beats(4);
    expect(silences).toBe(0);
    beats(1);
    expect(silences).toBe(1);
  });
});

describe('a leader that says nothing', () => {
  let browser: PlayedBrowser;
  let tabs: PlayedTab[];
  let leading: Repo;
  let following: Repo;

  beforeEach(async () => {
    browser = new PlayedBrowser();
    tabs = [browser.tab(), browser.tab()];
    // Before the pages make their first calls, whose timers would be real ones.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    leading = await tabs[0]!.open('repo', { did: DID });
    following = await tabs[1]!.open('repo');
  });

  afterEach(() => {
    tabs.forEach((tab) => tab.crash());
  });

  /** Lets time pass, and the messages of that time arrive. */
  const beats = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await vi.advanceTimersByTimeAsync(BEAT_MS);
      for (let turn = 0; turn < 20; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };

  /** Has the leader be deaf and dumb from now on. */
  const freeze = (): void => {
    tabs[0]!.outgoing = () => false;
    tabs[0]!.incoming = () => false;
  };

  const thaw = (): void => {
    tabs[0]!.outgoing = () => true;
    tabs[0]!.incoming = () => true;
  };

  test('is waited for ten seconds: reads reject Locked, writes OutcomeUnknown, and it keeps its lock', async () => {
    const heard: HeadChange[] = [];
    following.onChange((change) => heard.push(change));
    await following.head();
    freeze();
    const asked = [following.head(), following.put(POST, 'a', post('a'))].map((work) =>
      work.catch((error: unknown) => error),
    );
    await beats(6);
    const [read, written] = (await Promise.all(asked)) as RepoError[];
    expect(read).toMatchObject({
      code: 'Locked',
      message: expect.stringMatching(/does not reply: .*; name=repo/) as string,
    });
    expect(written).toMatchObject({ code: 'OutcomeUnknown', cause: { code: 'Locked' } });
    thaw();
    const { commit } = await following.put(POST, 'b', post('b'));
    expect((await leading.head())?.rev).toBe(commit.rev);
    expect(heard.map(({ created }) => created)).toEqual([[`${POST}/b`]]);
  });

  test('keeps nobody from closing', async () => {
    freeze();
    const written = following.put(POST, 'a', post('a')).catch((error: RepoError) => error.code);
    const closed = following.close();
    await beats(6);
    await closed;
    expect(await written).toBe('OutcomeUnknown');
  });

  test('a leader that is at work is waited for', async () => {
    let sign = (): void => {};
    const asked = new Promise<void>((resolve) => (sign = resolve));
    const signer = { sign: async () => (await asked, new Uint8Array(64)) };
    const written = following.put(POST, 'a', post('a'), { signer });
    await beats(8);
    sign();
    await written;
  });

  test('one that opens the files is waited for, and one that cannot get at them is not', async () => {
    let isFrozen = true;
    const replies: (() => void)[] = [];
    browser.opening = () => (isFrozen ? new Promise<void>((resolve) => replies.push(resolve)) : Promise.resolve());
    tabs.push(browser.tab());
    vi.useRealTimers();
    const third = await tabs[2]!.open('repo');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    tabs[0]!.crash();
    const [mine, theirs] = [following.head(), third.head()];
    await beats(8);
    isFrozen = false;
    replies.forEach((reply) => reply());
    expect([await mine, await theirs]).toEqual([undefined, undefined]);

    browser.opening = () =>
      new Promise((_, reject) =>
        setTimeout(() => reject(new RepoError('Locked', 'somebody is frozen over the files')), 2_000),
      );
    tabs[1]!.crash();
    const waiting = third.head().catch((error: RepoError) => error.code);
    await beats(8);
    expect(await waiting).toBe('Locked');
    browser.opening = () => Promise.resolve();
    await beats(2);
    expect(await third.head()).toBeUndefined();
  });
});
