import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { concatBytes, equalBytes } from '../../../src/core/data/bytes.ts';
import { toChunks } from '../../../src/core/car/source.ts';
import type { CarSource } from '../../../src/core/car/source.ts';
import { asyncOf } from './raw-car.ts';

const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i * 7);
const halves = (): Uint8Array[] => [bytes.slice(0, 77_777), bytes.slice(77_777)];

const collect = async (source: CarSource): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of toChunks(source)) {
    chunks.push(chunk);
  }
  return concatBytes(chunks);
};

/** A stream of the two halves that records its cancellation. */
const observed = (): { stream: ReadableStream<Uint8Array>; cancelled: unknown[] } => {
  const cancelled: unknown[] = [];
  const rest = halves();
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = rest.shift();
      if (chunk === undefined) {
        controller.close();
      } else {
        controller.enqueue(chunk);
      }
    },
    cancel: (reason) => void cancelled.push(reason),
  });
  return { stream, cancelled };
};

describe('the same bytes come from', () => {
  test.each<[string, () => CarSource]>([
    ['bytes', () => bytes],
    ['a Blob', () => new Blob([bytes])],
    ['a Response', () => new Response(bytes).body!],
    ['a stream', () => observed().stream],
    ['a generator', () => asyncOf(halves())],
    ["Node's stream", () => Readable.from(halves())],
  ])('%s', async (_, source) => {
    expect(equalBytes(await collect(source()), bytes)).toBe(true);
  });

  test('a stream that cannot be iterated, as in Safari', async () => {
    const { stream } = observed();
    const safari = { getReader: () => stream.getReader() } as ReadableStream<Uint8Array>;
    expect(equalBytes(await collect(safari), bytes)).toBe(true);
  });
});

describe('a stream', () => {
  test('is unlocked at its end, and not cancelled', async () => {
    const { stream, cancelled } = observed();
    await collect(stream);
    expect([stream.locked, cancelled]).toEqual([false, []]);
  });

  test('is cancelled and unlocked if the loop stops early', async () => {
    const { stream, cancelled } = observed();
    for await (const chunk of toChunks(stream)) {
      expect(chunk).toHaveLength(77_777);
      break;
    }
    expect([stream.locked, cancelled.length]).toEqual([false, 1]);
  });

  test('is cancelled and unlocked if the loop throws, and the error is unchanged', async () => {
    const { stream, cancelled } = observed();
    const error = new Error('of the consumer');
    const reading = (async () => {
      for await (const _ of toChunks(stream)) {
        throw error;
      }
    })();
    await expect(reading).rejects.toBe(error);
    expect([stream.locked, cancelled.length]).toEqual([false, 1]);
  });

  test('that fails rejects with its own error, and is unlocked', async () => {
    const error = new TypeError('network');
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(error);
      },
    });
    await expect(collect(stream)).rejects.toBe(error);
    expect(stream.locked).toBe(false);
  });
});

test('an iterator is returned if the loop stops early, and its error is unchanged', async () => {
  let returned = 0;
  const source = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield bytes;
      yield bytes;
    } finally {
      returned++;
    }
  };
  for await (const _ of toChunks(source())) {
    break;
  }
  expect(returned).toBe(1);
  const error = new Error('of the source');
  // biome-ignore lint/correctness/useYield: it fails before its first chunk.
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    throw error;
  };
  await expect(collect(failing())).rejects.toBe(error);
});

test.each([undefined, null, 5, 'text', {}, new ArrayBuffer(4), [bytes]])('%s is not a source', (source) => {
  expect(() => toChunks(source as never)).toThrow(TypeError);
});
