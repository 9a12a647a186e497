/**
 * Writes a portable tar archive. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html
 */

export interface TarFile {
  /** At most 100 ASCII characters, which is enough for the layout of a repository. */
  readonly path: string;
  readonly size: number;
  readonly content: ReadableStream<Uint8Array>;
}

const BLOCK = 512;

/** The largest size that eleven octal digits hold. */
const MAX_SIZE = 0o77777777777;

const header = ({ path, size }: TarFile, modifiedAt: number): Uint8Array => {
  if (size > MAX_SIZE) {
    throw new RangeError(
      `the file is larger than 8 GiB, the limit of a tar archive: export a CAR instead; path=${path}`,
    );
  }
  const bytes = new Uint8Array(BLOCK);
  const encoder = new TextEncoder();
  const put = (text: string, at: number): void => bytes.set(encoder.encode(text), at);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  put(path, 0);
  put('0000644\0', 100);
  put('0000000\0', 108);
  put('0000000\0', 116);
  put(`${octal(size, 11)}\0`, 124);
  put(`${octal(modifiedAt, 11)}\0`, 136);
  // The checksum field counts as spaces.
  put('        0', 148);
  put('ustar\x0000', 257);
  put(
    `${octal(
      bytes.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
    148,
  );
  return bytes;
};

async function* chunksOf(files: AsyncIterable<TarFile>): AsyncGenerator<Uint8Array, void> {
  const modifiedAt = Math.floor(Date.now() / 1000);
  for await (const file of files) {
    yield header(file, modifiedAt);
    const reader = file.content.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      yield part.value;
    }
    yield new Uint8Array((BLOCK - (file.size % BLOCK)) % BLOCK);
  }
  yield new Uint8Array(2 * BLOCK);
}

/** Yields the archive in chunks. */
export const tarStream = (files: AsyncIterable<TarFile>): ReadableStream<Uint8Array> => {
  const chunks = chunksOf(files);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) {
        controller.close();
      } else {
        controller.enqueue(value);
      }
    },
    async cancel() {
      await chunks.return();
    },
  });
};
