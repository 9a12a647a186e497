import { base64 } from 'multiformats/bases/base64';
import type { Bytes } from './bytes.ts';

/**
 * Decodes base64 of the standard alphabet, without padding or with the right one; `undefined` when the text is not
 * that. No pattern: on megabytes it runs out of stack.
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
    // A character of another alphabet, or bits at the end that belong to no byte.
    return undefined;
  }
};
