/** Browsers without OPFS. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { hasOpfsRepo, listOpfsRepos } from '../../../src/adapters/files/opfs-files.ts';
import { hasOpfs } from '../../../src/adapters/origin/opfs.ts';

const stubRoot = (getDirectory: (() => Promise<unknown>) | undefined): void => {
  vi.stubGlobal('navigator', { storage: getDirectory === undefined ? undefined : { getDirectory } });
};

const failing = (name: string) => () => Promise.reject(new DOMException('refused', name));

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('no OPFS', () => {
  test.each(['SecurityError', 'NotSupportedError'])('for good (%s): no repositories', async (name) => {
    stubRoot(failing(name));
    expect(await hasOpfsRepo('alice')).toBe(false);
    expect(await listOpfsRepos()).toEqual([]);
  });

  test('because the interface is missing: no repositories', async () => {
    stubRoot(undefined);
    expect(await hasOpfsRepo('alice')).toBe(false);
    expect(await listOpfsRepos()).toEqual([]);
  });

  test('as in private windows of Safari, after a timeout: no repositories', async () => {
    stubRoot(failing('UnknownError'));
    expect(await hasOpfsRepo('alice')).toBe(false);
    let asked = 0;
    stubRoot(async () => {
      asked += 1;
      return asked < 3
        ? failing('UnknownError')()
        : {
            entries: () => [],
            getDirectoryHandle: () => ({ getFileHandle: () => ({ getFile: () => ({ size: 1 }) }) }),
          };
    });
    expect(await hasOpfsRepo('alice')).toBe(true);
  });

  test.each(['InvalidStateError', 'NotReadableError', 'QuotaExceededError'])(
    'for another reason (%s): StorageFailed',
    async (name) => {
      stubRoot(failing(name));
      await expect(hasOpfsRepo('alice')).rejects.toMatchObject({ code: 'StorageFailed', cause: { name } });
      await expect(listOpfsRepos()).rejects.toMatchObject({ code: 'StorageFailed' });
    },
  );
});

test('an insecure context, without random UUIDs, has no OPFS', async () => {
  stubRoot(undefined);
  vi.stubGlobal('crypto', {});
  expect(await hasOpfs()).toBe(false);
});
