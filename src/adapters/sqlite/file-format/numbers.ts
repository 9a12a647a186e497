/** Decodes numbers of SQLite's file format. https://sqlite.org/fileformat2.html */

export const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
export const uint32 = (bytes: Uint8Array, at: number): number => uint16(bytes, at) * 65536 + uint16(bytes, at + 2);

export interface Varint {
  readonly value: number;
  /** The offset of the next byte. */
  readonly end: number;
}

/** Reads 1 to 9 bytes; all eight bits of the ninth byte count. A value above the safe integers is not exact. */
export const readVarint = (bytes: Uint8Array, at: number): Varint | undefined => {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) {
      return undefined;
    }
    if (i === 8) {
      return { value: value * 256 + byte, end: at + 9 };
    }
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      return { value, end: at + i + 1 };
    }
  }
  return undefined;
};

/** Returns how many bytes of a row's payload are in the leaf page. The rest is in overflow pages. */
export const localLength = (payload: number, usable: number): number => {
  const most = usable - 35;
  if (payload <= most) {
    return payload;
  }
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((payload - least) % (usable - 4));
  return fitting <= most ? fitting : least;
};

/** Whether SQLite allows pages of `size` bytes. */
export const isPageSize = (size: number): boolean => size >= 512 && size <= 65536 && (size & (size - 1)) === 0;
