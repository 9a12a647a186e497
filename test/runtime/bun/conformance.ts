/** Runs the cases for files and blobs in Bun, in the given folder. */
import { blobStoreCases } from '../../../src/testing/storage/blob-store-cases.ts';
import { databaseFilesCases } from '../../../src/testing/files/database-files-cases.ts';
import { makeBlobsHarness, makeFilesHarness } from '../../adapters/node-harness.ts';
import { printCases } from '../print-cases.ts';

const root = process.argv[2]!;
await printCases(databaseFilesCases, () => makeFilesHarness(root));
await printCases(blobStoreCases, () => makeBlobsHarness(root));
