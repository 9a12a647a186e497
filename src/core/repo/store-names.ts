/** The names under which a repository keeps its ref and its meta entries in the store. */
import type { CID } from '../data/cid.ts';
import { cidToText } from '../data/cid.ts';

/** The ref that is the head. */
export const MAIN = 'main';

/** Meta keys of what this library adds: the words about a commit, and the MIME type of a blob. */
export const messageKey = (commit: CID): string => `message:${cidToText(commit)}`;
export const mimeTypeKey = (blob: CID): string => `mime:${cidToText(blob)}`;
