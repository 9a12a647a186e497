/** Names of refs and meta entries in the store. */
import type { CID } from '../data/cid.ts';
import { cidToText } from '../data/cid.ts';

/** The ref of the head. */
export const MAIN = 'main';

/** The meta value of the base of local work. */
export const BASE = 'base';

/** The meta value of the counts of the collections. */
export const COUNTS = 'counts';

/** The meta value of the account's `did:key`: of the last write, or of the last import with a verified signature. */
export const ACCOUNT_KEY = 'key';

/** The meta value of the last named writes. */
export const REQUESTS = 'requests';

/** The meta values that each write may read. A store can read them together. */
export const READ_BY_WRITES: readonly string[] = [BASE, COUNTS, ACCOUNT_KEY, REQUESTS];

/** The meta value of `pdsdb/sync` with the CID of a head whose blobs are all stored. A copy without blobs drops it. */
export const WITH_ALL_BLOBS = 'app:sync:blobs';

/** Meta keys for the message of a commit and for the MIME type of a blob. */
export const messageKey = (commit: CID): string => `message:${cidToText(commit)}`;
export const mimeTypeKey = (blob: CID): string => `mime:${cidToText(blob)}`;
