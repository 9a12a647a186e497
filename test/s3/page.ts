/** Runs the cases for blob stores in a page. Its URL has the server and the name of a bucket, as JSON. */
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { printCases } from '../runtime/print-cases.ts';
import { makeS3Harness } from './blobs-harness.ts';
import { createBuckets } from './bucket.ts';

const { server, bucket } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const makeBucket = createBuckets(server, bucket);
const lines: string[] = [];
console.log = (line: string) => void lines.push(line);
await printCases(blobStoreCases, () => makeS3Harness(makeBucket, 64 * 1024));
Object.assign(globalThis, { lines });
