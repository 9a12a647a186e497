/** Runs the cases for blob stores in Deno and Bun. The argument is the server, as JSON. */
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { printCases } from '../runtime/print-cases.ts';
import { makeS3Harness } from './blobs-harness.ts';
import { createBuckets } from './bucket.ts';

const runtime = globalThis as { readonly Deno?: { readonly args: readonly string[] } };
const server = JSON.parse((runtime.Deno?.args ?? process.argv.slice(2))[0]!);
const makeBucket = createBuckets(server);
await printCases(blobStoreCases, () => makeS3Harness(makeBucket, 64 * 1024));
