/**
 * Blobs on an S3 server: Amazon S3, or another server with its API. It needs `fetch` and `crypto.subtle`, so it runs in
 * pages, workers, Node, Deno and Bun alike. `docs/guides/keep-blobs-in-s3.md` lists the permissions.
 *
 * @example
 * ```ts
 * import { MemoryBlockStore, repoOver } from 'pdsdb';
 * import { s3Blobs } from 'pdsdb/s3';
 *
 * const blobsOf = s3Blobs({
 *   endpoint: 'https://s3.eu-central-1.amazonaws.com',
 *   region: 'eu-central-1',
 *   bucket: 'my-blobs',
 *   accessKeyId: '…',
 *   secretAccessKey: '…',
 * });
 * const did = 'did:web:alice.example.com';
 * await using repo = repoOver({ did, store: new MemoryBlockStore(), blobs: blobsOf(did) });
 * const image = await repo.putBlob(new Blob(['…'], { type: 'image/png' }));
 * console.log(image.size, (await repo.getBlob(image.ref))?.type);
 * ```
 * @module
 */
export type { BlobInfo, BlobSource, BlobStore, PutBlobOptions } from './core/storage/ports.ts';
export type { S3BlobStore } from './adapters/s3/blob-store.ts';
export { MAX_COPIED_SIZE } from './adapters/s3/blob-upload.ts';
export { MAX_UPLOAD_PARTS } from './adapters/s3/multipart.ts';
export { openS3Blobs, s3Blobs } from './adapters/s3/open-blobs.ts';
export type { S3Fetch, S3Options } from './adapters/s3/options.ts';
export type { SweepOptions, SweepResult } from './adapters/s3/sweep.ts';
export { MAX_XML_ELEMENTS, MAX_XML_SIZE } from './adapters/s3/xml.ts';
