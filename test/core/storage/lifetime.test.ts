import { expect, test } from 'vitest';
import { Lifetime } from '../../../src/core/storage/lifetime.ts';

const closed = (): object =>
  expect.objectContaining({
    name: 'RepoError',
    code: 'Closed',
    message: 'the thing is closed: open it again to use it',
  });

test('close waits for running work, also if it fails, and releases once', async () => {
  const lifetime = new Lifetime('thing');
  const steps: string[] = [];
  const work = (name: string, ms: number, failure?: Error): Promise<void> =>
    lifetime.run(async () => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      steps.push(name);
      if (failure !== undefined) {
        throw failure;
      }
    });
  const failure = new Error('failed');
  const running = [work('slow', 20), work('failing', 5, failure)];
  const release = async (): Promise<void> => void steps.push('released');
  const closing = [lifetime.close(release), lifetime.close(release)];
  await expect(lifetime.run(async () => {})).rejects.toEqual(closed());
  expect(() => lifetime.assertOpen()).toThrow('the thing is closed: open it again to use it');
  expect(await Promise.allSettled(running)).toEqual([
    { status: 'fulfilled', value: undefined },
    { status: 'rejected', reason: failure },
  ]);
  await Promise.all(closing);
  expect(steps).toEqual(['failing', 'slow', 'released']);
});

test('every close rejects if the release fails', async () => {
  const lifetime = new Lifetime('thing');
  const failure = new Error('stuck');
  const release = (): Promise<void> => Promise.reject(failure);
  await expect(lifetime.close(release)).rejects.toBe(failure);
  await expect(lifetime.close(release)).rejects.toBe(failure);
});
