/** When a call to a host is repeated, and when not. */
import { describe, expect, test } from 'vitest';
import { isTransient, withRetries } from '../../src/sync/http/retry.ts';
import { XrpcError } from '../../src/sync/http/xrpc-error.ts';
import { RepoError } from '../../src/index.ts';

const quick = { delayMs: 0 };
const failing = (times: number, error: Error): { call: () => Promise<string>; count: () => number } => {
  let calls = 0;
  return {
    call: async () => {
      calls += 1;
      if (calls <= times) {
        throw error;
      }
      return 'done';
    },
    count: () => calls,
  };
};
const limited = (resetAt: number): XrpcError =>
  new XrpcError('RateLimitExceeded', 'too many', { status: 429, error: 'RateLimitExceeded', resetAt });

describe('withRetries', () => {
  test('repeats a failure of the connection or the host', async () => {
    for (const code of ['HostUnreachable', 'HostFailed'] as const) {
      const { call, count } = failing(2, new RepoError(code, 'no'));
      expect(await withRetries(call, quick)).toBe('done');
      expect(count()).toBe(3);
    }
  });

  test('does not repeat what the host refused', async () => {
    const { call, count } = failing(9, new RepoError('HostRejected', 'no'));
    await expect(withRetries(call, quick)).rejects.toMatchObject({ code: 'HostRejected' });
    expect(count()).toBe(1);
  });

  test('gives up after the attempts, with the last error', async () => {
    const { call, count } = failing(9, new RepoError('HostFailed', 'no'));
    await expect(withRetries(call, { ...quick, attempts: 3 })).rejects.toMatchObject({ code: 'HostFailed' });
    expect(count()).toBe(3);
  });

  test('waits until a rate limit ends', async () => {
    const resetAt = Date.now() + 60;
    const { call } = failing(1, limited(resetAt));
    await withRetries(call, quick);
    expect(Date.now()).toBeGreaterThanOrEqual(resetAt - 1);
  });

  test('does not wait for a limit that ends in an hour', async () => {
    const { call, count } = failing(9, limited(Date.now() + 3_600_000));
    await expect(withRetries(call, quick)).rejects.toMatchObject({ code: 'RateLimitExceeded', status: 429 });
    expect(count()).toBe(1);
  });

  test('ends with its signal while it waits', async () => {
    const abort = new AbortController();
    const { call } = failing(9, limited(Date.now() + 30_000));
    const waiting = withRetries(call, { ...quick, signal: abort.signal });
    setTimeout(() => abort.abort(new Error('stop')), 10);
    await expect(waiting).rejects.toThrow('stop');
  });

  test('names transient errors', () => {
    expect(isTransient(new RepoError('HostFailed', ''))).toBe(true);
    expect(isTransient(new RepoError('InvalidSwap', ''))).toBe(false);
  });
});
