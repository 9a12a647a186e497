/** What a page that may be frozen at any moment lets go of. */
import { expect, test } from 'vitest';
import { closingQuickly } from '../../../src/adapters/files/closing-quickly.ts';
import { PagedFile } from '../../../src/adapters/files/paged-file.ts';
import type { DatabaseFiles } from '../../../src/wasm/vfs/database-files.ts';

/** Files as they are in OPFS (`flush`) and in IndexedDB (`persist`), and what was closed of them. */
const openFiles = (durableOn: DatabaseFiles['durableOn']): { files: DatabaseFiles; closed: string[] } => {
  const closed: string[] = [];
  const file = (name: string): PagedFile => Object.assign(new PagedFile(), { close: () => void closed.push(name) });
  const close = async (): Promise<void> => void closed.push('files');
  return {
    files: {
      main: file('main'),
      journal: file('journal'),
      wal: file('wal'),
      durableOn,
      persist: async () => {},
      close,
      [Symbol.asyncDispose]: close,
    },
    closed,
  };
};

test.each(['flush', 'persist'] as const)(
  'files that are durable on %s are closed as they are, where there is no hurry',
  async (durableOn) => {
    const { files, closed } = openFiles(durableOn);
    await closingQuickly(files, () => false).close();
    expect(closed).toEqual(['files']);
  },
);

test('in a hurry the handles are closed, the main file last, and nothing is waited for', () => {
  const { files, closed } = openFiles('flush');
  void closingQuickly(files, () => true).close();
  expect(closed).toEqual(['wal', 'journal', 'main']);
});

test('in a hurry as well, files of pages let go of their connection and their lock', () => {
  const { files, closed } = openFiles('persist');
  void closingQuickly(files, () => true).close();
  expect(closed).toEqual(['files']);
});
