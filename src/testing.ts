/**
 * Conformance tests for adapters, as cases that run in any test framework.
 *
 * @example
 * ```ts
 * import { MemoryBlobStore } from 'pdsdb';
 * import type { BlobStoreHarness } from 'pdsdb/testing';
 * import { blobStoreCases, isSkippedCase } from 'pdsdb/testing';
 *
 * const run = async (harness: () => BlobStoreHarness) => {
 *   for (const { name, run } of blobStoreCases) {
 *     try {
 *       await run(harness());
 *       console.log(`ok ${name}`);
 *     } catch (error) {
 *       if (!isSkippedCase(error)) throw error;
 *     }
 *   }
 * };
 * ```
 * @module
 */
export { blobStoreCases } from './testing/storage/blob-store-cases.ts';
export type { BlobStoreHarness } from './testing/storage/blob-store-harness.ts';
export { blockStoreCases } from './testing/storage/block-store-cases.ts';
export type { BlockStoreHarness } from './testing/storage/block-store-harness.ts';
export type { Case } from './testing/case.ts';
export { SkippedCase, isSkippedCase } from './testing/case.ts';
export { databaseFilesCases } from './testing/files/database-files-cases.ts';
export type { DatabaseFilesHarness } from './testing/files/database-files-cases.ts';
export { repoCases } from './testing/repo/cases.ts';
export type { RepoHarness } from './testing/repo/harness.ts';
