/** Several tabs over one repository: who leads, who follows, and what happens when the leader ends. */
import { beforeEach, describe, expect, test } from 'vitest';
import { isRepoError } from '../../../src/core/errors.ts';
import type { RepoErrorCode } from '../../../src/core/errors.ts';
import type { Head, HeadChange, Repo } from '../../../src/core/repo/repo.ts';
import { listOf } from '../../../src/core/data/list-of.ts';
import { DID, KEY, POST, creates, post, rkeyOf } from '../../../src/testing/repo/harness.ts';
import { readAll } from '../../../src/core/data/streams.ts';
import { PlayedBrowser } from '../rpc/tabs.ts';
import type { PlayedTab } from '../rpc/tabs.ts';

let browser: PlayedBrowser;
let first: PlayedTab;
let second: PlayedTab;
let leading: Repo;
let following: Repo;

beforeEach(async () => {
  browser = new PlayedBrowser();
  [first, second] = [browser.tab(), browser.tab()];
  leading = await first.open('repo', { did: DID, signer: KEY });
  following = await second.open('repo', { signer: KEY });
  return () => [first, second].forEach((tab) => tab.crash());
});

const codeOf = async (work: Promise<unknown>): Promise<RepoErrorCode | 'none'> => {
  try {
    await work;
    return 'none';
  } catch (error) {
    return isRepoError(error) ? error.code : Promise.reject(error);
  }
};

/** Has a tab die at the moment when it is about to say something that `which` looks for. */
const crashBefore = (tab: PlayedTab, which: (kind: string) => boolean): void => {
  tab.outgoing = (message) => {
    if (message.kind !== 'message' || !which(message.message.kind)) {
      return true;
    }
    tab.crash();
    return false;
  };
};

const logLength = async (repo: Repo): Promise<number> => (await listOf(repo.log())).length;

describe('two tabs', () => {
  test('see each other’s writes, and hear of them in order', async () => {
    const heard: Record<string, string[]> = { leading: [], following: [] };
    leading.onChange(({ rev }) => heard['leading']!.push(rev));
    following.onChange(({ rev }) => heard['following']!.push(rev));
    const revs: string[] = [];
    for (let i = 0; i < 10; i++) {
      const { commit } = await (i % 2 === 0 ? leading : following).put(POST, rkeyOf(i), post(`${i}`));
      revs.push(commit.rev);
    }
    expect((await listOf(leading.list(POST))).length).toBe(10);
    expect((await listOf(following.list(POST))).length).toBe(10);
    await following.head();
    expect(heard).toEqual({ leading: revs, following: revs });
  });

  test('write at once, and none is lost and none doubled', async () => {
    const write = (repo: Repo, from: number): Promise<unknown> =>
      Promise.all(Array.from({ length: 50 }, (_, i) => repo.put(POST, rkeyOf(from + i), post(`${from + i}`))));
    await Promise.all([write(leading, 0), write(following, 100)]);
    expect(await logLength(following)).toBe(100);
    expect((await following.info()).records).toBe(100);
    expect((await leading.verify()).ok).toBe(true);
  });

  test('a third that wants to make the repository is refused, and one that opens it is not', async () => {
    const third = browser.tab();
    expect(await codeOf(third.open('repo', { did: DID }))).toBe('RepoExists');
    expect((await third.open('repo')).did).toBe(DID);
    third.crash();
  });

  test('a signer stays in its page, and its errors cross unchanged', async () => {
    const failure = new Error('no card in the reader');
    const error = await following
      .write(creates(1), { signer: { sign: () => Promise.reject(failure) } })
      .catch((cause: unknown) => cause);
    expect(error).toBe(failure);
    await following.write(creates(1));
    expect((await following.verify({ key: KEY.did!() })).signature).toBe('valid');
  });

  test('a tab that goes in the middle of signing keeps nobody waiting', async () => {
    const stuck = following.write(creates(1), { signer: { sign: () => new Promise(() => {}) } });
    stuck.catch(() => {});
    await following.head();
    const after = leading.put(POST, 'after', post('after'));
    second.crash();
    await after;
    expect(await logLength(leading)).toBe(1);
  });

  test('what a follower has under way ends when it closes, and rejects Closed', async () => {
    const stuck = following.importCar(new ReadableStream<Uint8Array>({}));
    const outcome = codeOf(stuck);
    await following.head();
    await following.close();
    expect(await outcome).toBe('Closed');
    expect(await codeOf(following.head())).toBe('Closed');
    await leading.put(POST, 'after', post('after'));
  });
});

describe('when the leader closes', () => {
  test('the other tab continues, and is notified of its writes', async () => {
    await leading.put(POST, 'a', post('a'));
    const heard: HeadChange[] = [];
    following.onChange((change) => heard.push(change));
    await following.head();
    await leading.close();
    const { commit } = await following.put(POST, 'b', post('b'));
    expect(heard.map(({ rev, created }) => [rev, created])).toEqual([[commit.rev, [`${POST}/b`]]]);
    expect(await logLength(following)).toBe(2);
  });

  test('what the other has asked for gets one reply', async () => {
    const writes = Array.from({ length: 30 }, (_, i) => following.put(POST, rkeyOf(i), post(`${i}`)));
    await Promise.all([leading.close(), ...writes]);
    expect(await logLength(following)).toBe(30);
  });
});

describe('when the leader dies', () => {
  test('reads are asked again', async () => {
    await leading.write(creates(3));
    crashBefore(first, (kind) => kind === 'reply');
    const found = await following.get(POST, rkeyOf(1));
    expect(found?.value['text']).toBe('post 1');
  });

  test('a write that was lost before it happened happens once', async () => {
    first.crash();
    await following.write(creates(2));
    expect(await logLength(following)).toBe(1);
  });

  test('a write that happened, and whose reply was lost, resolves as it would have', async () => {
    await leading.write(creates(1));
    const swapCommit = (await following.head())!.cid;
    crashBefore(first, (kind) => kind === 'reply');
    // With the guard: doing it a second time would be refused.
    const written = await following.write([{ action: 'create', collection: POST, value: post('x') }], { swapCommit });
    const [head] = await listOf(following.log());
    expect([String(head?.cid), head?.rev]).toEqual([String(written.cid), written.rev]);
    const rkey = written.results[0]!.uri.split('/').at(-1)!;
    expect((await following.get(POST, rkey))?.value['text']).toBe('x');
    expect(await logLength(following)).toBe(2);
    expect((await following.verify()).ok).toBe(true);
  });

  test.each<[string, (repo: Repo, head: Head) => Promise<unknown>]>([
    ['put', (repo, head) => repo.put(POST, 'p', post('p'), { swapCommit: head.cid })],
    ['delete', (repo, head) => repo.delete(POST, rkeyOf(0), { swapCommit: head.cid })],
    ['commit', async (repo) => repo.commit(await (await repo.checkout()).put(POST, 'q', post('q')))],
  ])('so does %s', async (method, write) => {
    await leading.write(creates(1));
    const head = (await following.head())!;
    // The tree of a commit is asked about before.
    let replies = method === 'commit' ? 2 : 0;
    crashBefore(first, (kind) => kind === 'reply' && replies-- === 0);
    const reply = (await write(following, head)) as { rev?: string; commit?: { rev: string } };
    expect(reply.commit?.rev ?? reply.rev).toBe((await following.head())?.rev);
    expect(await logLength(following)).toBe(2);
  });

  test('a list continues at its place, over the state of its start', async () => {
    await leading.write(creates(350));
    const rkeys: string[] = [];
    for await (const { rkey } of following.list(POST)) {
      rkeys.push(rkey);
      if (rkeys.length === 120) {
        await leading.write(
          Array.from({ length: 350 }, (_, i) => ({ action: 'delete', collection: POST, rkey: rkeyOf(i) })),
        );
        first.crash();
      }
    }
    expect(rkeys).toEqual(Array.from({ length: 350 }, (_, i) => rkeyOf(i)));
  });

  test('the log continues at its place', async () => {
    const revs: string[] = [];
    for (let i = 0; i < 250; i++) {
      revs.unshift((await leading.write([])).rev);
    }
    const seen: string[] = [];
    for await (const { rev } of following.log()) {
      seen.push(rev);
      if (seen.length === 130) {
        await leading.write([]);
        first.crash();
      }
    }
    expect(seen).toEqual(revs);
  });

  test('an export continues at its place', async () => {
    await leading.write(creates(3000));
    const whole = await readAll(leading.exportCar());
    const reader = following.exportCar().getReader();
    const parts = [(await reader.read()).value!];
    expect(parts[0]!.length).toBeLessThan(whole.length);
    first.crash();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
    }
    expect(Buffer.concat(parts).equals(whole)).toBe(true);
  });

  test('an export whose head has moved fails', async () => {
    await leading.write(creates(3000));
    const reader = following.exportCar().getReader();
    await reader.read();
    await leading.write([]);
    first.crash();
    expect(await codeOf(reader.read())).toBe('InvalidSwap');
  });

  test('a tree keeps its edits', async () => {
    await leading.write(creates(3));
    const tree = await (await (await following.checkout()).put(POST, 'x', post('x'))).delete(POST, rkeyOf(0));
    first.crash();
    expect((await tree.get(POST, 'x'))?.value['text']).toBe('x');
    const more = await tree.put(POST, 'y', post('y'));
    await following.commit(more);
    expect((await listOf(following.list(POST))).map(({ rkey }) => rkey)).toEqual([rkeyOf(1), rkeyOf(2), 'x', 'y']);
  });

  test('an import of bytes is asked again, one of a stream is not', async () => {
    await leading.write(creates(300));
    const car = await readAll(leading.exportCar());
    await leading.write(creates(1, 300));
    const newer = await readAll(leading.exportCar());
    const target = new PlayedBrowser();
    const [a, b] = [target.tab(), target.tab()];
    await a.open('copy', { did: DID });
    const copy = await b.open('copy');
    crashBefore(a, (kind) => kind === 'reply' || kind === 'call');
    expect((await copy.importCar(car, { onProgress: () => {} })).created).toBe(300);

    const c = target.tab();
    const again = await c.open('copy');
    crashBefore(b, (kind) => kind === 'call');
    expect(await codeOf(again.importCar(new Blob([newer]).stream() as ReadableStream<Uint8Array>))).toBe(
      'OutcomeUnknown',
    );
    expect((await again.info()).records).toBe(300);
    c.crash();
  });

  test('an import of a stream that happened resolves to its counts', async () => {
    await leading.write(creates(50));
    const car = await readAll(leading.exportCar());
    const target = new PlayedBrowser();
    const [a, b] = [target.tab(), target.tab()];
    await a.open('copy', { did: DID });
    const copy = await b.open('copy');
    await copy.head();
    // Replies to questions that the page has asked; those of the stream go the other way.
    crashBefore(a, (kind) => kind === 'reply');
    const result = await copy.importCar(new Blob([car]).stream() as ReadableStream<Uint8Array>);
    expect([result.created, result.unchanged]).toEqual([50, 0]);
    b.crash();
  });

  test('what was missed is heard, in order and once', async () => {
    const heard: string[] = [];
    following.onChange(({ rev, created }) => heard.push(`${rev} ${created.join()}`));
    const { commit } = await leading.put(POST, 'a', post('a'));
    await following.head();
    first.outgoing = ({ kind }) => kind !== 'message';
    const { commit: missed } = await leading.put(POST, 'b', post('b'));
    first.crash();
    const { commit: last } = await following.put(POST, 'c', post('c'));
    await expect
      .poll(() => heard)
      .toEqual([`${commit.rev} ${POST}/a`, `${missed.rev} ${POST}/b`, `${last.rev} ${POST}/c`]);
  });

  test('what cannot be asked again, and may have happened, rejects OutcomeUnknown', async () => {
    const { rev } = await leading.write(creates(1));
    crashBefore(first, (kind) => kind === 'reply');
    expect(await codeOf(following.setRef('tag', rev))).toBe('OutcomeUnknown');
    expect([...(await following.refs()).keys()]).toEqual(['main', 'tag']);
  });

  test('a storage that was cleared by then ends what waits with its error', async () => {
    browser.beforeOpen = () => {
      throw new Error('the storage was cleared');
    };
    first.crash();
    const [read, write] = await Promise.allSettled([following.head(), following.write(creates(1))]);
    const { reason: closed } = read as PromiseRejectedResult;
    expect([closed.code, closed.cause.message]).toEqual(['Closed', 'the storage was cleared']);
    expect((write as PromiseRejectedResult).reason.code).toBe('OutcomeUnknown');
    expect(await codeOf(following.head())).toBe('Closed');
  });

  test('and when several are left, one of them takes over, with every acknowledged commit', async () => {
    const tabs = [first, second, browser.tab(), browser.tab(), browser.tab()];
    const repos = [
      leading,
      following,
      ...(await Promise.all(tabs.slice(2).map((tab) => tab.open('repo', { signer: KEY })))),
    ];
    const written: string[] = [];
    const write = async (i: number): Promise<void> => {
      for (let n = 0; n < 40; n++) {
        const rkey = rkeyOf(1000 * i + n);
        await repos[i]!.put(POST, rkey, post(rkey));
        written.push(rkey);
      }
    };
    const running = repos.map((_, i) => write(i).catch(() => {}));
    for (const tab of tabs.slice(0, 4)) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      tab.crash();
    }
    await running.at(-1);
    const last = repos.at(-1)!;
    const there = new Set((await listOf(last.list(POST))).map(({ rkey }) => rkey));
    expect(written.filter((rkey) => !there.has(rkey))).toEqual([]);
    expect(await logLength(last)).toBe(there.size);
    expect((await last.verify()).ok).toBe(true);
    tabs.at(-1)!.crash();
  });
});
