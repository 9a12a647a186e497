import { expect, test } from 'vitest';
import { ChangeQueue } from '../../../src/core/storage/change-queue.ts';

const turns = async (count: number): Promise<void> => {
  for (let n = 0; n < count; n++) {
    await Promise.resolve();
  }
};

test('work runs one at a time, in order, whatever its duration', async () => {
  const queue = new ChangeQueue();
  const log: string[] = [];
  const work = (name: string, count: number) => async (): Promise<string> => {
    log.push(`${name} starts`);
    await turns(count);
    log.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all([
    queue.run(work('slow', 50)),
    queue.run(work('quick', 0)),
    queue.run(work('last', 3)),
  ]);
  expect(results).toEqual(['slow', 'quick', 'last']);
  expect(log).toEqual(['slow starts', 'slow ends', 'quick starts', 'quick ends', 'last starts', 'last ends']);
});

test('only the caller of failed work gets its error', async () => {
  const queue = new ChangeQueue();
  const error = new Error('refused');
  const failing = queue.run(() => Promise.reject(error));
  const throwing = queue.run(() => {
    throw error;
  });
  const next = queue.run(async () => 'done');
  await expect(failing).rejects.toBe(error);
  await expect(throwing).rejects.toBe(error);
  expect(await next).toBe('done');
  await queue.idle();
});

test('idle waits for all that was asked for', async () => {
  const queue = new ChangeQueue();
  await queue.idle();
  let done = 0;
  for (let n = 0; n < 3; n++) {
    void queue.run(async () => {
      await turns(20);
      done += 1;
    });
  }
  await queue.idle();
  expect(done).toBe(3);
});
