/** The types of `pdsdb/node` and `pdsdb/deno`. `npm run check` compiles this. */
import type { BackupManifest, Repo, Signer } from 'pdsdb';
import type * as deno from 'pdsdb/deno';
import type * as node from 'pdsdb/node';
import { expectTypeOf, test } from 'vitest';

test('a repository is created for an account, and opened by its folder', () => {
  expectTypeOf<typeof node.createRepo>().parameters.toEqualTypeOf<[directory: string, options: node.CreateOptions]>();
  expectTypeOf<typeof node.createRepo>().returns.resolves.toEqualTypeOf<Repo>();
  expectTypeOf<typeof node.openRepo>().toBeCallableWith('folder');
  expectTypeOf<typeof node.openRepo>().returns.resolves.toEqualTypeOf<Repo>();
  expectTypeOf<{ readonly did: string }>().toExtend<node.CreateOptions>();
  expectTypeOf<{ readonly signer: Signer }>().not.toExtend<node.CreateOptions>();
});

test('a folder is saved, restored and salvaged', () => {
  expectTypeOf<typeof node.saveBackup>().parameter(0).toEqualTypeOf<Repo>();
  expectTypeOf<typeof node.saveBackup>().returns.resolves.toEqualTypeOf<node.SavedBackup>();
  expectTypeOf<typeof node.restoreBackup>().returns.resolves.toEqualTypeOf<BackupManifest>();
  expectTypeOf<typeof node.salvageRepo>().returns.resolves.toEqualTypeOf<node.SalvageReport>();
});

test('a database without a repository is opened', () => {
  expectTypeOf<typeof node.openDatabase>().returns.resolves.toEqualTypeOf<node.FolderDatabase>();
  expectTypeOf<node.FolderDatabase>().toExtend<AsyncDisposable>();
});

test('Deno has the same functions as Node', () => {
  expectTypeOf<keyof typeof deno>().toEqualTypeOf<keyof typeof node>();
  expectTypeOf<typeof deno.createRepo>().toEqualTypeOf<typeof node.createRepo>();
  expectTypeOf<typeof deno.openRepo>().toEqualTypeOf<typeof node.openRepo>();
  expectTypeOf<typeof deno.openDatabase>().toEqualTypeOf<typeof node.openDatabase>();
  expectTypeOf<typeof deno.saveBackup>().toEqualTypeOf<typeof node.saveBackup>();
  expectTypeOf<typeof deno.restoreBackup>().toEqualTypeOf<typeof node.restoreBackup>();
  expectTypeOf<typeof deno.salvageRepo>().toEqualTypeOf<typeof node.salvageRepo>();
});
