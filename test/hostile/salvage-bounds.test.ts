/** Databases that make a salvage do much work. It reads each byte at most 40 times. */
import { expect, test } from 'vitest';
import { rowsOfFiles } from '../../src/adapters/salvage/file-pages.ts';

const PAGE = 4096;
/** How often a salvage may read each byte. */
const MOST_TIMES = 40;
/** The limit of bytes of rows per byte of the file, from a page and its overflow pages. */
const MOST_ROWS = 40;

const varint = (value: number): number[] => {
  const bytes = [value & 0x7f];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest & 0x7f));
  }
  return bytes;
};

/** A record with the key `k` and a blob, of `length` bytes together. */
const headerOf = (length: number): number[] => {
  const blob = length - 2 - varint(length * 2).length - 1;
  const header = [15, ...varint(blob * 2 + 12)];
  return [header.length + 1, ...header, 0x6b];
};

interface Leaf {
  readonly pointers: readonly number[];
  readonly cells: readonly { readonly at: number; readonly bytes: readonly number[] }[];
}

const leafOf = ({ pointers, cells }: Leaf): Uint8Array => {
  const page = new Uint8Array(PAGE);
  page.set([0x0d, 0, 0, pointers.length >> 8, pointers.length & 255]);
  pointers.forEach((at, i) => page.set([at >> 8, at & 255], 8 + 2 * i));
  cells.forEach(({ at, bytes }) => page.set(bytes, at));
  return page;
};

/** Leaves whose cells each declare `length` bytes. The overflow pages of a cell form a chain. */
const withOverflow = (leaves: number, cells: number, length: number, links: readonly number[]): Uint8Array[] => {
  const least = Math.floor(((PAGE - 12) * 32) / 255) - 23;
  const fitting = least + ((length - least) % (PAGE - 4));
  const local = fitting <= PAGE - 35 ? fitting : least;
  const first = leaves + 2;
  const cell = [...varint(length), 1, ...headerOf(length)];
  const whole = [
    ...cell,
    ...Array.from({ length: local - headerOf(length).length }, () => 0),
    0,
    0,
    first >> 8,
    first & 255,
  ];
  // The cells overlap, because they would not fit side by side.
  const at = PAGE - whole.length;
  const leaf = leafOf({ pointers: Array.from({ length: cells }, () => at), cells: [{ at, bytes: whole }] });
  const overflow = links.map((next) => Uint8Array.of(0, 0, next >> 8, next & 255, ...new Uint8Array(PAGE - 4)));
  return [new Uint8Array(PAGE), ...Array.from({ length: leaves }, () => leaf), ...overflow];
};

/** A WAL with the given page numbers, each page in its own transaction. */
const logOf = (frames: readonly (readonly [number: number, page: Uint8Array])[]): Uint8Array => {
  const log = new Uint8Array(32 + frames.length * (24 + PAGE));
  for (const [i, [number, page]] of frames.entries()) {
    const at = 32 + i * (24 + PAGE);
    new DataView(log.buffer, at).setUint32(0, number);
    new DataView(log.buffer, at).setUint32(4, 1);
    log.set(page, at + 24);
  }
  return log;
};

const salvage = (
  pages: readonly Uint8Array[],
  log: Uint8Array = new Uint8Array(),
): { rows: number; bytes: number; read: number; size: number } => {
  const file = new Uint8Array(pages.length * PAGE);
  pages.forEach((page, i) => file.set(page, i * PAGE));
  const found = { rows: 0, bytes: 0, read: 0, size: file.length + log.length };
  const fileOf = (bytes: Uint8Array) => ({
    getSize: () => bytes.length,
    read(buffer: Uint8Array, { at }: { at: number }): number {
      const piece = bytes.subarray(at, at + buffer.length);
      buffer.set(piece);
      found.read += piece.length;
      return piece.length;
    },
  });
  for (const { value } of rowsOfFiles(fileOf(file), fileOf(log))) {
    found.rows += 1;
    found.bytes += value.length;
  }
  return found;
};

const straight = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (i < count - 1 ? first + i + 1 : 0));
/** The length of a cell's content that needs `overflow` overflow pages. */
const lengthOf = (overflow: number): number => Math.floor(((PAGE - 12) * 32) / 255) - 23 + overflow * (PAGE - 4);

test.each<[string, Uint8Array[], 'nothing' | 'something']>([
  ['300 cells share a loop of one page, of 8 MB each', withOverflow(1, 300, 8_000_000, [3]), 'nothing'],
  ['300 cells share a loop of nine pages', withOverflow(1, 300, 8_000_000, [...straight(3, 8), 3]), 'nothing'],
  [
    '100 leaves of such cells share one long chain',
    withOverflow(100, 100, lengthOf(400), straight(102, 400)),
    'something',
  ],
  [
    '1,000 pointers lead to one cell that fills its page',
    [
      new Uint8Array(PAGE),
      leafOf({
        pointers: Array.from({ length: 1000 }, () => 2100),
        cells: [{ at: 2100, bytes: [...varint(1900), 1, ...headerOf(1900)] }],
      }),
    ],
    'something',
  ],
  [
    'a leaf in which every pointer leads to the page itself',
    [leafOf({ pointers: [], cells: [] }), leafOf({ pointers: Array.from({ length: 2040 }, (_, i) => i), cells: [] })],
    'nothing',
  ],
])('%s', (_, pages, gives) => {
  const begin = process.cpuUsage().user;
  const { rows, bytes, read, size } = salvage(pages);
  expect(read / size, 'times that the file was read').toBeLessThan(MOST_TIMES);
  expect(bytes / size, 'bytes of rows for each byte').toBeLessThan(MOST_ROWS);
  expect(rows > 0 ? 'something' : 'nothing').toBe(gives);
  expect((process.cpuUsage().user - begin) / 1000, 'milliseconds').toBeLessThan(1000);
});

const [, shared, ...chain] = withOverflow(1, 100, lengthOf(400), straight(3, 400)) as [
  Uint8Array,
  Uint8Array,
  ...Uint8Array[],
];

test.each<[string, Uint8Array[], Uint8Array]>([
  [
    'a log that names the highest page there can be',
    [new Uint8Array(PAGE)],
    logOf([
      [0xffff_ffff, shared],
      [0, shared],
      [0xffff_fffe, shared],
    ]),
  ],
  [
    '1,000 versions of one leaf whose cells share one long chain',
    [new Uint8Array(PAGE), shared, ...chain],
    logOf(Array.from({ length: 1000 }, () => [2, shared])),
  ],
  [
    '1,000 versions of the first page of a chain',
    [new Uint8Array(PAGE), shared, ...chain],
    logOf(Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? [3, chain[0]!] : [2, shared]))),
  ],
])('%s', (_, pages, log) => {
  const begin = process.cpuUsage().user;
  const { bytes, read, size } = salvage(pages, log);
  expect(read / size, 'times that the file was read').toBeLessThan(MOST_TIMES);
  expect(bytes / size, 'bytes of rows for each byte').toBeLessThan(MOST_ROWS);
  expect((process.cpuUsage().user - begin) / 1000, 'milliseconds').toBeLessThan(1000);
});
