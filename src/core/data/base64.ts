import { base64 } from 'multiformats/bases/base64';
import type { Bytes } from './bytes.ts';

/**
 * Decodes base64 of the standard alphabet, with or without padding. Returns `undefined` for any other text. Uses no
 * regular expression: on megabytes, it overflows the stack.
 */
export const decodeBase64 = (text: string): Bytes | undefined => {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const body = text.slice(0, text.length - padding);
  if (body.includes('=') || (padding > 0 && (body.length + padding) % 4 !== 0)) {
    return undefined;
  }
  try {
    return base64.baseDecode(body) as Bytes;
  } catch {
    // A character of another alphabet, or spare bits at the end.
    return undefined;
  }
};
