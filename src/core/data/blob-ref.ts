/**
 * Blob references in records.
 * https://atproto.com/specs/data-model#blob-type
 */
import type { CID } from './cid.ts';
import { CODEC_RAW, asCid, cidTextToBytes, decodeCid } from './cid.ts';
import { isBytes } from './platform-values.ts';

/** What a record holds in place of a blob. */
export interface BlobRef {
  readonly $type: 'blob';
  readonly ref: CID;
  readonly mimeType: string;
  /** In bytes. */
  readonly size: number;
}

/** A blob that a record refers to. `size` is -1 where the old form does not say. */
export interface BlobMention {
  readonly cid: CID;
  readonly mimeType: string;
  readonly size: number;
}

export const isBlobRef = (value: unknown): value is BlobRef => mentionOf(value, false) !== undefined;

/**
 * The mention that a map of the data model is, if it is one: the present form, or the old one with the CID as a text.
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
  // The old form has these two fields and no other.
  if (!legacy || typeof cid !== 'string' || Object.keys(value).length !== 2) {
    return undefined;
  }
  const bytes = cidTextToBytes(cid);
  return bytes === undefined ? undefined : { cid: decodeCid(bytes), mimeType, size: -1 };
};

/** Every blob that a value of the data model mentions, old form included, in the order of the value. */
export const blobMentions = (value: unknown): BlobMention[] => {
  const mentions: BlobMention[] = [];
  // A stack rather than recursion: the depth of a record is somebody else's choice.
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

/** The field that every blob has, in both forms. */
const MIME_TYPE: readonly number[] = /* @__PURE__ */ [...'mimeType'].map((character) => character.charCodeAt(0));
/** Its one capital, which is rarer than the rest, and found by the platform. */
const CAPITAL = 4;

/** Whether the bytes of a record may hold a mention of a blob: `false` is certain, and saves decoding it. */
export const mayMentionBlob = (bytes: Uint8Array): boolean => {
  for (let at = bytes.indexOf(MIME_TYPE[CAPITAL]!); at >= 0; at = bytes.indexOf(MIME_TYPE[CAPITAL]!, at + 1)) {
    if (MIME_TYPE.every((code, i) => bytes[at - CAPITAL + i] === code)) {
      return true;
    }
  }
  return false;
};
