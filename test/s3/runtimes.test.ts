/** Blobs on a real S3 server, in Deno and Bun. */
import { join } from 'node:path';
import { describe } from 'vitest';
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { root } from '../house/sources.ts';
import { findRuntime } from '../runtime/find-runtime.ts';
import { runConformance } from '../runtime/run-conformance.ts';
import { lacksS3, server, why } from './s3-server.ts';

const script = join(root, 'test/s3/conformance.ts');
const names = blobStoreCases.map(({ name }) => name);
const { host } = lacksS3 ? { host: '' } : new URL(server.endpoint);
const bun = findRuntime('bun');
const deno = findRuntime('deno');

describe.skipIf(lacksS3 || bun === undefined)(bun === undefined ? 'bun (not found)' : `bun${why}`, () => {
  runConformance('the cases for blob stores', bun!, [script, JSON.stringify(server)], names);
});

describe.skipIf(lacksS3 || deno === undefined)(deno === undefined ? 'deno (not found)' : `deno${why}`, () => {
  const args = ['run', '--no-prompt', `--allow-net=${host}`, script, JSON.stringify(server)];
  runConformance('the cases for blob stores, with a permission for the server', deno!, args, names);
});
