import { describe, expect, test } from 'vitest';
import { concatBytes } from '../../../src/core/data/bytes.ts';
import { readCar, readCarStream } from '../../../src/core/car/reader.ts';
import { cidToText } from '../../../src/core/data/cid.ts';
import { isRepoError } from '../../../src/core/errors.ts';
import type { CarSource } from '../../../src/core/car/source.ts';
import { asyncOf, blockOf, headerOf, sectionOf } from './raw-car.ts';

const blocks = Array.from({ length: 50 }, (_, i) => blockOf({ i }));
const root = blocks[0]!.cid;
const header = headerOf(root);
const car = concatBytes([header, ...blocks.map(sectionOf)]);
const names = blocks.map(({ cid }) => cidToText(cid));
const code = (name: 'LimitExceeded' | 'Malformed'): unknown => expect.toSatisfy((error) => isRepoError(error, name));

/** A source that counts reads and cancellations. */
const counted = (
  chunks: readonly Uint8Array[],
): { source: AsyncIterable<Uint8Array>; read: () => number; returned: () => number } => {
  let read = 0;
  let returned = 0;
  const source = {
    async *[Symbol.asyncIterator]() {
      try {
        for (const chunk of chunks) {
          read++;
          yield chunk;
        }
      } finally {
        returned++;
      }
    },
  };
  return { source, read: () => read, returned: () => returned };
};

describe('over bytes', () => {
  test('the roots, and the blocks as often as they are asked for', () => {
    const read = readCar(car);
    expect(read.roots.map(cidToText)).toEqual([cidToText(root)]);
    for (let time = 0; time < 2; time++) {
      expect([...read].map(({ cid }) => cidToText(cid))).toEqual(names);
    }
  });

  test('the offset of a block is its position in the CAR', () => {
    for (const { bytes, offset } of readCar(car)) {
      expect(car.subarray(offset, offset + bytes.length)).toEqual(bytes);
      expect(bytes.buffer).toBe(car.buffer);
    }
  });

  test('a wrong header is rejected at once, a wrong block when it is read', () => {
    expect(() => readCar(car.subarray(0, 10))).toThrow(code('Malformed'));
    const read = readCar(car.subarray(0, car.length - 1));
    const seen: string[] = [];
    expect(() => {
      for (const { cid } of read) {
        seen.push(cidToText(cid));
      }
    }).toThrow(code('Malformed'));
    expect(seen).toEqual(names.slice(0, -1));
  });

  test('anything else is a TypeError', () => {
    expect(() => readCar('text' as never)).toThrow(TypeError);
  });
});

describe('over a stream', () => {
  const sources: [string, () => CarSource][] = [
    ['bytes', () => car],
    ['a Blob', () => new Blob([car])],
    ['a stream', () => new Response(car).body!],
    ['a generator', () => asyncOf([car.slice(0, 100), car.slice(100, 101), car.slice(101)])],
  ];
  test.each(sources)('reads %s', async (_, source) => {
    const read = await readCarStream(source());
    expect(read.roots.map(cidToText)).toEqual([cidToText(root)]);
    const seen: string[] = [];
    for await (const batch of read) {
      expect(batch).not.toEqual([]);
      seen.push(...batch.map(({ cid }) => cidToText(cid)));
    }
    expect(seen).toEqual(names);
  });

  test('yields completed blocks before it reads the next chunk', async () => {
    const middle = header.length + 3 * sectionOf(blocks[0]!).length + 5;
    const { source, read } = counted([car.slice(0, middle), car.slice(middle)]);
    const seen: [number, number][] = [];
    for await (const batch of await readCarStream(source)) {
      seen.push([read(), batch.length]);
    }
    expect(seen).toEqual([
      [1, 3],
      // The block that began in the first chunk has memory of its own.
      [2, 1],
      [2, 46],
    ]);
  });

  test('returns the roots without reading further', async () => {
    const { source, read, returned } = counted([header, car.slice(header.length)]);
    const stream = await readCarStream(source);
    expect([stream.roots.length, read(), returned()]).toEqual([1, 1, 0]);
    await stream.close();
    await stream.close();
    expect([read(), returned()]).toEqual([1, 1]);
  });

  test('can be read only once', async () => {
    const stream = await readCarStream(car);
    for await (const _ of stream) {
      break;
    }
    expect(() => stream[Symbol.asyncIterator]()).toThrow(TypeError);
    const closed = await readCarStream(car);
    await closed.close();
    expect(() => closed[Symbol.asyncIterator]()).toThrow(TypeError);
  });

  test('is no CAR when it holds no bytes', async () => {
    await expect(readCarStream(asyncOf([]))).rejects.toThrow(code('Malformed'));
    await expect(readCarStream(asyncOf([new Uint8Array(0)]))).rejects.toThrow(code('Malformed'));
  });

  describe('cancels the source', () => {
    test.each([
      ['at the end', [car], 'none'],
      ['when the header is wrong', [Uint8Array.of(0, 0), car], 'Malformed'],
      ['when a block is wrong', [header, Uint8Array.of(0, 0), car], 'Malformed'],
      ['when it is incomplete', [car.subarray(0, -1)], 'Malformed'],
    ])('%s', async (_, chunks, end) => {
      const { source, returned } = counted(chunks);
      const reading = (async () => {
        for await (const _batch of await readCarStream(source)) {
          expect(returned()).toBe(0);
        }
      })();
      await (end === 'none' ? reading : expect(reading).rejects.toThrow(code('Malformed')));
      expect(returned()).toBe(1);
    });

    test('when the consumer stops or throws', async () => {
      for (const stop of [false, true]) {
        const { source, returned } = counted([car.slice(0, 200), car.slice(200)]);
        const error = new Error('of the consumer');
        const reading = (async () => {
          for await (const _ of await readCarStream(source)) {
            if (stop) {
              break;
            }
            throw error;
          }
        })();
        await (stop ? reading : expect(reading).rejects.toBe(error));
        expect(returned()).toBe(1);
      }
    });

    test('when a chunk is not a Uint8Array, which is a TypeError', async () => {
      const { source, returned } = counted(['text'] as never);
      await expect(readCarStream(source)).rejects.toThrow(TypeError);
      expect(returned()).toBe(1);
    });

    test('and cancels a stream', async () => {
      let cancelled = 0;
      const stream = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(car),
        cancel: () => void cancelled++,
      });
      // The second copy of the CAR begins with a header, where a block is due.
      const reading = (async () => {
        for await (const _ of await readCarStream(stream)) {
          expect(cancelled).toBe(0);
        }
      })();
      await expect(reading).rejects.toThrow(code('Malformed'));
      expect([cancelled, stream.locked]).toEqual([1, false]);
    });
  });

  test('an error of the source is thrown unchanged, in the header and after it', async () => {
    const error = new Error('connection lost');
    for (const length of [10, 200]) {
      const source = async function* (): AsyncGenerator<Uint8Array> {
        yield car.slice(0, length);
        throw error;
      };
      const reading = (async () => {
        for await (const batch of await readCarStream(source())) {
          expect(batch.length).toBeGreaterThan(0);
        }
      })();
      await expect(reading).rejects.toBe(error);
    }
  });
});
