/**
 * Blob references in records.
 * https://atproto.com/specs/data-model#blob-type
 */
import type { CID } from './cid.ts';
import { CODEC_RAW, asCid, cidTextToBytes, decodeCid } from './cid.ts';
import { isBytes } from './platform-values.ts';

/** A reference to a blob in a record. */
export interface BlobRef {
  readonly $type: 'blob';
  readonly ref: CID;
  readonly mimeType: string;
  /** Size in bytes. */
  readonly size: number;
}

/** A mention of a blob in a record. `size` is -1 in the old form, which has no size. */
export interface BlobMention {
  readonly cid: CID;
  readonly mimeType: string;
  readonly size: number;
}

export const isBlobRef = (value: unknown): value is BlobRef => mentionOf(value, false) !== undefined;

/**
 * Returns the mention in a map of the data model, or `undefined`. With `legacy`, also accepts the old form with the CID
 * as a text.
 */
const mentionOf = (value: unknown, legacy: boolean): BlobMention | undefined => {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const { $type, ref, mimeType, size, cid } = value as Record<string, unknown>;
  if (typeof mimeType !== 'string') {
    return undefined;
  }
  if ($type === 'blob') {
    const link = asCid(ref);
    return link !== undefined && link.code === CODEC_RAW && Number.isSafeInteger(size) && (size as number) >= 0
      ? { cid: link, mimeType, size: size as number }
      : undefined;
  }
  // The old form has exactly these two fields.
  if (!legacy || typeof cid !== 'string' || Object.keys(value).length !== 2) {
    return undefined;
  }
  const bytes = cidTextToBytes(cid);
  return bytes === undefined ? undefined : { cid: decodeCid(bytes), mimeType, size: -1 };
};

/** Returns all mentions of blobs in a value of the data model, old form included, in order. */
export const blobMentions = (value: unknown): BlobMention[] => {
  const mentions: BlobMention[] = [];
  // A stack instead of recursion, because untrusted input chooses the depth.
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const next = rest.pop();
    if (typeof next !== 'object' || next === null || isBytes(next) || asCid(next) !== undefined) {
      continue;
    }
    const mention = mentionOf(next, true);
    if (mention !== undefined) {
      mentions.push(mention);
      continue;
    }
    const inside = Array.isArray(next) ? next : Object.values(next);
    for (let i = inside.length - 1; i >= 0; i--) {
      rest.push(inside[i]);
    }
  }
  return mentions;
};

/** The field that both forms of a blob have. */
const MIME_TYPE: readonly number[] = /* @__PURE__ */ [...'mimeType'].map((character) => character.charCodeAt(0));
/** The index of its capital letter. It is rarer than other letters, so `indexOf` finds candidates fast. */
const CAPITAL = 4;

/**
 * Returns whether the bytes of a record may contain a mention of a blob. `false` is certain, so the record need not be
 * decoded.
 */
export const mayMentionBlob = (bytes: Uint8Array): boolean => {
  for (let at = bytes.indexOf(MIME_TYPE[CAPITAL]!); at >= 0; at = bytes.indexOf(MIME_TYPE[CAPITAL]!, at + 1)) {
    if (MIME_TYPE.every((code, i) => bytes[at - CAPITAL + i] === code)) {
      return true;
    }
  }
  return false;
};
