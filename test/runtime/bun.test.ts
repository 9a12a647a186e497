import { join } from 'node:path';
import { describe } from 'vitest';
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { databaseFilesCases } from '../../src/testing/files/database-files-cases.ts';
import { scratchFolder } from '../adapters/scratch.ts';
import { root } from '../house/sources.ts';
import { findRuntime } from './find-runtime.ts';
import { runConformance } from './run-conformance.ts';

const bun = findRuntime('bun');

describe.skipIf(bun === undefined)(bun === undefined ? 'bun (not found)' : 'bun', () => {
  const names = [...databaseFilesCases, ...blobStoreCases].map(({ name }) => name);
  runConformance('files and blobs', bun!, [join(root, 'test/runtime/bun/conformance.ts'), scratchFolder('bun')], names);
});
