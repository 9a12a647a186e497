import { describe, expect, test } from 'vitest';
import { mayBeUnfinished } from '../../../src/adapters/files/database-file.ts';
import { MemoryFile } from '../../../src/testing/files/memory-files.ts';

const fileOf = (start: string, size: number): MemoryFile => {
  const file = new MemoryFile();
  file.truncate(size);
  file.write(new TextEncoder().encode(start), { at: 0 });
  return file;
};

describe('a main file', () => {
  test.each([
    ['that is empty', '', 0, true],
    ['of one page of SQLite', 'SQLite format 3\0', 4096, true],
    ['that ends within its first page', 'SQLite format 3\0', 512, true],
    ['that ends within its magic', 'SQLite', 6, true],
    ['of one page and a byte', 'SQLite format 3\0', 4097, false],
    ['with other content', 'content', 7, false],
    ['of zeros', '', 4096, false],
  ])('%s', (_, start, size, expected) => {
    expect(mayBeUnfinished(fileOf(start, size))).toBe(expected);
  });
});
