import { expect, test } from 'vitest';
import { RepoError } from '../../../src/core/errors.ts';
import { isNotFound, toStorageError } from '../../../src/core/storage/storage-error.ts';

const withCode = (code: string): Error => Object.assign(new Error('of the system'), { code });
const named = (name: string): Error => Object.assign(new Error('of the platform'), { name });

test.each([
  [withCode('ENOSPC'), 'StorageFull'],
  [withCode('EDQUOT'), 'StorageFull'],
  [named('QuotaExceededError'), 'StorageFull'],
  [withCode('EACCES'), 'StorageFailed'],
  [withCode('EROFS'), 'StorageFailed'],
  [named('NotCapable'), 'StorageFailed'],
  ['a text', 'StorageFailed'],
] as const)('%s is %s, and its cause', (cause, code) => {
  expect(toStorageError(cause, 'writing')).toMatchObject({ name: 'RepoError', code, cause });
});

test('names the operation and the missing permission', () => {
  expect(toStorageError(withCode('EIO'), 'writing').message).toBe(
    'writing failed: check the storage and its permissions; code=EIO',
  );
  expect(toStorageError(named('NotCapable'), 'writing').message).toContain('--allow-write');
});

test('a RepoError is returned unchanged', () => {
  const error = new RepoError('Closed', 'closed');
  expect(toStorageError(error, 'writing')).toBe(error);
});

test('only a missing file is not found', () => {
  expect([withCode('ENOENT'), withCode('ENOTDIR'), new Error('ENOENT'), undefined].map(isNotFound)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
