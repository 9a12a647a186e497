import { describe, expect, test } from 'vitest';
import { chunksOf, forEachChunk, readAll } from '../../../src/core/data/streams.ts';

interface Watched {
  readonly stream: ReadableStream<Uint8Array>;
  readonly cancelled: unknown[];
}

/** A stream of `1`, `2`, `3`, and then its end, a failure, or nothing. */
const numbers = (end: 'closes' | 'fails' | 'waits', cancel: Promise<void> = Promise.resolve()): Watched => {
  const cancelled: unknown[] = [];
  let next = 1;
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (next <= 3) {
          controller.enqueue(new Uint8Array([next++]));
        } else if (end === 'closes') {
          controller.close();
        } else if (end === 'fails') {
          controller.error(new Error('source'));
        } else {
          return new Promise<void>(() => {});
        }
        return undefined;
      },
      cancel(reason) {
        cancelled.push(reason);
        return cancel;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, cancelled };
};

const collect = async (stream: ReadableStream<Uint8Array>, most: number): Promise<number[]> => {
  const found: number[] = [];
  for await (const chunk of chunksOf(stream)) {
    found.push(chunk[0]!);
    if (found.length === most) {
      break;
    }
  }
  return found;
};

describe('chunksOf', () => {
  test('yields every chunk, and releases the stream', async () => {
    const { stream, cancelled } = numbers('closes');
    expect(await collect(stream, Infinity)).toEqual([1, 2, 3]);
    expect([cancelled, stream.locked]).toEqual([[], false]);
  });

  test('cancels a stream that is left early, and releases it', async () => {
    const { stream, cancelled } = numbers('waits');
    expect(await collect(stream, 2)).toEqual([1, 2]);
    expect([cancelled, stream.locked]).toEqual([[undefined], false]);
  });

  test('throws the error of the stream', async () => {
    const { stream } = numbers('fails');
    await expect(collect(stream, Infinity)).rejects.toThrow('source');
    expect(stream.locked).toBe(false);
  });
});

describe('forEachChunk', () => {
  test('cancels with the error of the callback, and does not wait for the cancellation', async () => {
    const { stream, cancelled } = numbers('waits', new Promise(() => {}));
    const error = new Error('mine');
    const reading = forEachChunk(stream, async (chunk) => {
      if (chunk[0] === 2) {
        throw error;
      }
    });
    await expect(reading).rejects.toBe(error);
    expect([cancelled, stream.locked]).toEqual([[error], false]);
  });

  test('waits for the callback between two chunks', async () => {
    const order: string[] = [];
    await forEachChunk(numbers('closes').stream, async ([number]) => {
      order.push(`start ${number}`);
      await Promise.resolve();
      order.push(`end ${number}`);
    });
    expect(order).toEqual(['start 1', 'end 1', 'start 2', 'end 2', 'start 3', 'end 3']);
  });
});

test('readAll returns all bytes, or throws the error of the stream', async () => {
  expect([...(await readAll(numbers('closes').stream))]).toEqual([1, 2, 3]);
  await expect(readAll(numbers('fails').stream)).rejects.toThrow('source');
});
