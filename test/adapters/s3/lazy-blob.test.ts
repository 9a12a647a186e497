import { expect, test } from 'vitest';
import { LazyBlob } from '../../../src/core/storage/lazy-blob.ts';
import { readAll } from '../../../src/core/data/streams.ts';
import { isBlob } from '../../../src/core/data/platform-values.ts';

const TEXT = '\ufeffhello, wörld';
const bytes = new TextEncoder().encode(TEXT);

const lazy = (): { readonly blob: Blob; readonly reads: string[] } => {
  const reads: string[] = [];
  const read = async function* (start: number, end: number) {
    reads.push(`${start}-${end}`);
    for (let at = start; at < end; at += 4) {
      yield bytes.slice(at, Math.min(at + 4, end));
    }
  };
  return { blob: new LazyBlob(read, 0, bytes.length, 'Text/Plain'), reads };
};

test('it reads what a Blob of the platform reads', async () => {
  const { blob } = lazy();
  const real = new Blob([bytes], { type: 'Text/Plain' });
  expect([blob.size, blob.type]).toEqual([real.size, real.type]);
  expect(await blob.text()).toBe(await real.text());
  expect(new Uint8Array(await blob.arrayBuffer())).toEqual(bytes);
  expect(await readAll(blob.stream())).toEqual(bytes);
  for (const given of [[], [3], [3, 7], [-4], [-4, -1], [0, 0], [7, 3], [5, 200], [-200, 2], [2, 3], [undefined, 4]]) {
    const [start, end] = given as [number?, number?];
    const [part, wanted] = [blob.slice(start, end, 'A/B').slice(1), real.slice(start, end, 'A/B').slice(1)];
    expect([part.size, part.type, await part.text()]).toEqual([wanted.size, wanted.type, await wanted.text()]);
  }
  expect(blob.slice(0, 1, 'a\n').type).toBe(real.slice(0, 1, 'a\n').type);
});

test('it reads only when it is used', async () => {
  const { blob, reads } = lazy();
  const part = blob.slice(2, 10).slice(2, 4);
  const stream = part.stream();
  expect(reads).toEqual([]);
  expect((await readAll(stream)).length).toBe(2);
  expect(reads).toEqual(['4-6']);
});

test('the platform refuses it, and does not store something else', async () => {
  const { blob } = lazy();
  expect(isBlob(blob)).toBe(true);
  expect(() => `${blob}`).toThrow(/pass blob.stream\(\)/);
  expect(() => structuredClone(blob)).toThrow(expect.objectContaining({ name: 'DataCloneError' }));
  expect(() => new Blob([blob])).toThrow(TypeError);
  expect(await new Response(blob.stream()).text()).toBe(await blob.text());
});
