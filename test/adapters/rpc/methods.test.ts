/** One table for both ends: a method that one of them lacks does not compile. */
import { expect, expectTypeOf, test } from 'vitest';
import type { RemoteRepo } from '../../../src/adapters/rpc/client.ts';
import type { ServerMethods } from '../../../src/adapters/rpc/server.ts';
import type { OwnOfBranch, OwnOfRepo, Table } from '../../../src/core/repo/method-tables.ts';
import { BRANCH, META, REPO } from '../../../src/core/repo/method-tables.ts';
import type { Branch } from '../../../src/core/repo/branch.ts';
import type { Repo } from '../../../src/core/repo/repo.ts';
import type { RepoMeta } from '../../../src/core/repo/write/meta.ts';

interface LargerRepo extends Repo {
  more(): Promise<void>;
}
interface LargerBranch extends Branch {
  more(): Promise<void>;
}
interface LargerServer extends ServerMethods {
  more(): Promise<void>;
}

test('a method that is not in its table does not compile', () => {
  // @ts-expect-error `more` is not in the table.
  const repo: Table<LargerRepo, OwnOfRepo> = REPO;
  // @ts-expect-error `more` is not in the table.
  const branch: Table<LargerBranch, OwnOfBranch> = BRANCH;
  // @ts-expect-error `more` is not in the table.
  const meta: Table<RepoMeta & { more(): Promise<void> }, never> = META;
  expect([repo, branch, meta]).toEqual([REPO, BRANCH, META]);
});

test('a method that the client makes by itself does not compile before the client has it', () => {
  expectTypeOf<RemoteRepo>().toExtend<Repo>();
  expectTypeOf<RemoteRepo>().not.toExtend<LargerRepo>();
  expectTypeOf<ReturnType<RemoteRepo['branch']>>().toExtend<Branch>();
});

test('a call of the client that the server does not know does not compile', () => {
  expectTypeOf<ServerMethods>().not.toExtend<LargerServer>();
});

test('no method is both in the table and made by the client', () => {
  expectTypeOf<keyof typeof REPO & OwnOfRepo>().toEqualTypeOf<never>();
  expectTypeOf<keyof typeof REPO | OwnOfRepo>().toEqualTypeOf<keyof Repo>();
  expectTypeOf<keyof typeof BRANCH | OwnOfBranch>().toEqualTypeOf<keyof Branch>();
});
