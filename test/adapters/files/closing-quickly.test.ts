/** How the files of a page that may be frozen are closed. */
import { expect, test } from 'vitest';
import { closingQuickly } from '../../../src/adapters/files/closing-quickly.ts';
import { PagedFile } from '../../../src/adapters/files/paged-file.ts';
import type { DatabaseFiles } from '../../../src/wasm/vfs/database-files.ts';

/** Files like those in OPFS (`flush`) and in IndexedDB (`persist`), which record what was closed. */
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
  'without a hurry, files that are durable on %s are closed as usual',
  async (durableOn) => {
    const { files, closed } = openFiles(durableOn);
    await closingQuickly(files, () => false).close();
    expect(closed).toEqual(['files']);
  },
);

test('in a hurry, the handles are closed without waiting, the main file last', () => {
  const { files, closed } = openFiles('flush');
  void closingQuickly(files, () => true).close();
  expect(closed).toEqual(['wal', 'journal', 'main']);
});

test('in a hurry, files in IndexedDB close their connection and release their lock', () => {
  const { files, closed } = openFiles('persist');
  void closingQuickly(files, () => true).close();
  expect(closed).toEqual(['files']);
});
