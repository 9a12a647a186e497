const NAME_BYTES = 9;

/** A text that no other page and no other worker has. */
export const uniqueName = (): string =>
  [...crypto.getRandomValues(new Uint8Array(NAME_BYTES))].map((byte) => byte.toString(36).padStart(2, '0')).join('');
