/** Names of refs and meta entries in the store. */
import type { CID } from '../data/cid.ts';
import { cidToText } from '../data/cid.ts';

/** The ref of the head. */
export const MAIN = 'main';

/** The meta value of `pdsdb/sync` with the CID of a head whose blobs are all stored. A copy without blobs drops it. */
export const WITH_ALL_BLOBS = 'app:sync:blobs';

/** Meta keys for the message of a commit and for the MIME type of a blob. */
export const messageKey = (commit: CID): string => `message:${cidToText(commit)}`;
export const mimeTypeKey = (blob: CID): string => `mime:${cidToText(blob)}`;
