/**
 * Stores and reads a blob of so many megabytes, and prints the additional memory of both in megabytes. The arguments
 * are the options as JSON, and the number of megabytes. With `--expose-gc`, garbage is not counted.
 */
import { openS3Blobs } from '../../src/s3.ts';
import { chunksOf } from '../../src/core/data/streams.ts';

const [options, megabytes] = process.argv.slice(2);
const MB = 1_000_000;
const blobs = await openS3Blobs(JSON.parse(options!));

/** Always in the same memory, because the garbage of other sources is not the store's. */
const chunk = new Uint8Array(MB / 16);

/** Yields chunks which differ. */
const content = (count: number): ReadableStream<Uint8Array> => {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at === count * 16) {
        controller.close();
      } else {
        controller.enqueue(chunk.fill(at++));
      }
    },
  });
};

const read = async (blob: Blob): Promise<number> => {
  let size = 0;
  for await (const chunk of chunksOf(blob.stream())) {
    size += chunk.length;
  }
  return size;
};

// Loads and compiles what every blob needs.
const small = await blobs.put(content(1));
await read((await blobs.get(small.cid))!);
globalThis.gc?.();
const start = process.memoryUsage.rss();
let peak = start;
const timer = setInterval(() => {
  // Node keeps about 100 MB of garbage of its `fetch`, also for requests of 200 MB without this library.
  globalThis.gc?.();
  peak = Math.max(peak, process.memoryUsage.rss());
}, 25);
const { cid, size } = await blobs.put(content(Number(megabytes)));
const stored = peak;
peak = start;
const found = await read((await blobs.get(cid))!);
clearInterval(timer);
const more = (bytes: number): number => Math.round((bytes - start) / MB);
console.log(JSON.stringify({ size, found, put: more(stored), get: more(peak), start: Math.round(start / MB) }));
