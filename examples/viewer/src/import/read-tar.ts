/** Returns the files in a tar archive as slices of it. Reads only the headers. */

const BLOCK = 512;

/** The offsets of the fields in a header. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */
const NAME = [0, 100] as const;
const SIZE = [124, 136] as const;
const SUM = [148, 156] as const;
const TYPE = 156;

const textIn = (header: Uint8Array, [from, to]: readonly [number, number]): string =>
  new TextDecoder().decode(header.subarray(from, to)).split('\0')[0]!.trim();

/** Parses octal digits, or base 256 if the first bit is set, which GNU tar writes for sizes above 8 GiB. */
const numberIn = (header: Uint8Array, [from, to]: readonly [number, number]): number =>
  ((header[from] ?? 0) & 0x80) === 0
    ? Number.parseInt(textIn(header, [from, to]) || '0', 8)
    : header.subarray(from + 1, to).reduce((sum, byte) => sum * 256 + byte, 0);

/** Returns the checksum of a header: the sum of its bytes, with spaces instead of the checksum field. */
const sumOf = (header: Uint8Array): number =>
  header.reduce((sum, byte, i) => sum + (i >= SUM[0] && i < SUM[1] ? 32 : byte), 0);

/** The error for a file that is not a tar archive, or is damaged. The page shows its message. */
export class NotATar extends Error {}

export interface PackedFile {
  readonly name: string;
  readonly content: Blob;
}

/**
 * Yields the regular files of an archive, in its order.
 * @throws {NotATar}
 */
export async function* filesInTar(archive: Blob): AsyncGenerator<PackedFile, void> {
  for (let at = 0; at + BLOCK <= archive.size; ) {
    const header = new Uint8Array(await archive.slice(at, at + BLOCK).arrayBuffer());
    if (header.every((byte) => byte === 0)) {
      return;
    }
    const size = numberIn(header, SIZE);
    const from = at + BLOCK;
    if (sumOf(header) !== numberIn(header, SUM) || !Number.isSafeInteger(size) || size < 0) {
      throw new NotATar('This is not a tar archive, or it is damaged. Choose another file.');
    }
    if (from + size > archive.size) {
      throw new NotATar('The tar archive is incomplete. Download or create it again.');
    }
    const type = String.fromCharCode(header[TYPE] ?? 0);
    if (type === '0' || type === '\0') {
      yield { name: textIn(header, NAME), content: archive.slice(from, from + size) };
    }
    at = from + Math.ceil(size / BLOCK) * BLOCK;
  }
}
