import { expect, test } from 'vitest';
import { Lifetime } from '../../../src/core/storage/lifetime.ts';

const closed = (): object =>
  expect.objectContaining({ name: 'RepoError', code: 'Closed', message: 'the thing is closed' });

test('closing waits for what runs, also for what fails, and lets go once', async () => {
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
  const letGo = async (): Promise<void> => void steps.push('let go');
  const closing = [lifetime.close(letGo), lifetime.close(letGo)];
  await expect(lifetime.run(async () => {})).rejects.toEqual(closed());
  expect(() => lifetime.assertOpen()).toThrow('the thing is closed');
  expect(await Promise.allSettled(running)).toEqual([
    { status: 'fulfilled', value: undefined },
    { status: 'rejected', reason: failure },
  ]);
  await Promise.all(closing);
  expect(steps).toEqual(['failing', 'slow', 'let go']);
});

test('a failure to let go is the answer of every close', async () => {
  const lifetime = new Lifetime('thing');
  const failure = new Error('stuck');
  const letGo = (): Promise<void> => Promise.reject(failure);
  await expect(lifetime.close(letGo)).rejects.toBe(failure);
  await expect(lifetime.close(letGo)).rejects.toBe(failure);
});
