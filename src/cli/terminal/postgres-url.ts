/** Repositories in PostgreSQL as arguments: the address of a database, with the DID of the account after `#`. */
import type { Repo, Signer } from '../../index.ts';
import { isRepoError, RepoError } from '../../index.ts';
import type { PostgresRepos } from '../../postgres.ts';
import { closing } from './closing.ts';
import { CommandError } from './command-error.ts';

const DATABASE = /^postgres(ql)?:\/\//;
/** A password may contain `#`, so the last one counts. */
const WITH_DID = /^(.*)#(did:[^#]*)$/s;

export const isDatabase = (where: string): boolean => DATABASE.test(where);

/** Returns an argument for messages. The password of a database is replaced. */
export const withoutPassword = (where: string): string =>
  isDatabase(where)
    ? where.replace(/^([^/]*\/\/[^:/?#]*):.*@/s, '$1:***@').replace(/([?&]password=)[^&#]*/g, '$1***')
    : where;

interface Address {
  readonly url: string;
  readonly did: string | undefined;
}

const addressOf = (where: string): Address => {
  const [, url = where, did] = WITH_DID.exec(where) ?? [];
  return { url, did };
};

/**
 * Does not name the database, because the address may have a password.
 * @throws {CommandError} `InvalidRequest` if `where` is a database.
 */
export const assertNoDatabase = (where: string): void => {
  if (isDatabase(where)) {
    throw new CommandError(
      'InvalidRequest',
      'This verb needs a folder, and the argument is a PostgreSQL database. Copy the repository first: pdsdb copy <from> <to>',
    );
  }
};

/** The package is not part of the command. Node finds it beside pdsdb. */
const withoutDriver = (cause: unknown): unknown =>
  isRepoError(cause, 'Unsupported')
    ? new RepoError(
        'Unsupported',
        'Cannot connect to PostgreSQL: the package pg is missing. Install it where pdsdb is installed: npm install pg. ' +
          'With npx, run npx -p pdsdb -p pg pdsdb',
        { cause },
      )
    : cause;

/**
 * Connects to a database while `use` runs. Loads `pg`.
 * @throws {RepoError} `Unsupported` if `pg` is missing.
 */
export const withDatabase = async <T>(
  where: string,
  use: (accounts: PostgresRepos, did: string | undefined) => Promise<T>,
): Promise<T> => {
  const { url, did } = addressOf(where);
  // Loaded here, because few command lines need it.
  const { openPostgres } = await import('../../postgres.ts');
  let accounts: PostgresRepos;
  try {
    accounts = await openPostgres(url);
  } catch (error) {
    throw withoutDriver(error);
  }
  return closing(accounts, () => use(accounts, did));
};

/** Opens the repository of an account in a database while `use` runs. */
export const withDatabaseRepo = <T>(where: string, use: (repo: Repo) => Promise<T>, signer?: Signer): Promise<T> => {
  if (addressOf(where).did === undefined) {
    throw new CommandError(
      'InvalidRequest',
      'The address of the database has no account. Add its DID at the end: postgres://host/database#did:plc:…',
    );
  }
  // Closing the database closes the repository.
  return withDatabase(where, async (accounts, did) => use(await accounts.openRepo(did!, { signer })));
};
