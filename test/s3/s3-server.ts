/** The real S3 server of these tests. */
import { inject } from 'vitest';
import type { MakeBucket, S3Server } from './bucket.ts';
import { createBuckets } from './bucket.ts';

const given = inject('s3');
const isMissing = 'missing' in given;

/** Skips tests if it is `true`. The reason, for the titles, is `why`. */
export const lacksS3: boolean = isMissing;
export const why: string = isMissing ? ` (skipped: the S3 server ${given.missing})` : '';

export const server: S3Server = isMissing ? { endpoint: '', region: '', accessKeyId: '', secretAccessKey: '' } : given;

export const makeBucket: MakeBucket = createBuckets(server);
