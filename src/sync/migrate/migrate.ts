/** Moves an account to another host. */
import type { Signer } from '../../core/crypto/signer.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { parseUrl } from '../http/public-url.ts';
import type { Session } from '../http/xrpc.ts';
import { callXrpc, publicSession } from '../http/xrpc.ts';
import type { XrpcError } from '../http/xrpc-error.ts';
import type { Account } from '../identity/account.ts';
import { resolveAccount } from '../identity/account.ts';
import type { IdentityOptions } from '../identity/identity-options.ts';
import { refreshAccount } from '../pull/known-account.ts';
import { latestCommit } from '../pull/latest-commit.ts';
import { pull } from '../pull/pull.ts';
import { passwordSession } from '../session/password-session.ts';
import { accountState, importAtHost, missingAtHost, uploadMissing } from './move-content.ts';
import type { SignedOperation } from './plc-operation.ts';
import { recommendedCredentials, signAtHost, signWithKey } from './plc-operation.ts';
import { serviceAuth } from './service-auth.ts';

/** The account at its new host. The handle must be one that the new host accepts. */
export interface NewAccount {
  /** The address of the new host. */
  readonly service: string;
  readonly handle: string;
  readonly email: string;
  readonly password: string;
  readonly inviteCode?: string | undefined;
}

/** In their order. */
export type MigrateStep =
  | 'account'
  | 'records'
  | 'blobs'
  | 'preferences'
  | 'sign'
  | 'deactivate'
  | 'check'
  | 'identity'
  | 'activate';

export interface MigrateProgress {
  readonly step: MigrateStep;
  /** Uploaded blobs, and all that the new host lacks. Of the step `blobs`. */
  readonly done?: number | undefined;
  readonly total?: number | undefined;
}

export interface MigrateOptions extends Omit<IdentityOptions, 'pdsUrl'> {
  /** The owner's session at the old host. Left out if that host no longer responds. */
  readonly from?: Session | undefined;
  readonly to: NewAccount;
  /** Returns the token that the old host sends by mail. Not called with a `rotationKey`. */
  readonly plcToken?: (() => Promise<string>) | undefined;
  /** The key that signs the account's commits, if the old host no longer responds. */
  readonly signingKey?: Signer | undefined;
  /** A key that may change the DID document, if the old host no longer responds. It stays in the document. */
  readonly rotationKey?: Signer | undefined;
  /** Called at the start of each step. */
  readonly onStep?: ((progress: MigrateProgress) => void) | undefined;
}

export interface MigrateResult {
  readonly did: string;
  /** The origin of the new host. */
  readonly pds: string;
  /** The CID of the head that moved. */
  readonly head: string;
  /** Blobs that were uploaded in this run. */
  readonly blobs: number;
}

const refused = (message: string): RepoError => new RepoError('HostRejected', message);

class Migration {
  readonly #repo: Repo;
  readonly #options: MigrateOptions;
  readonly #to: Session;
  readonly #origin: string;
  #blobs = 0;

  constructor(repo: Repo, options: MigrateOptions) {
    const { service, password } = options.to;
    this.#repo = repo;
    this.#options = options;
    this.#origin = parseUrl(service).origin;
    this.#to = passwordSession({ ...options, service, identifier: repo.did, password });
  }

  async run(): Promise<MigrateResult> {
    const { did } = this.#repo;
    if (!did.startsWith('did:plc:')) {
      throw new RepoError(
        'Unsupported',
        `only did:plc accounts move by themselves: write the new host into the document of a did:web; did=${did}`,
      );
    }
    const account = await this.#lookUp();
    if (account.pds !== this.#origin) {
      await this.#move(account);
    }
    this.#at('activate');
    if (!(await accountState(this.#to, this.#options.signal)).activated) {
      await this.#post(this.#to, 'com.atproto.server.activateAccount');
    }
    const head = await this.#repo.head();
    // Later pulls go to the new host.
    await refreshAccount(this.#repo, this.#options);
    return { did, pds: this.#origin, head: String(head?.cid), blobs: this.#blobs };
  }

  #at(step: MigrateStep, counts: Partial<MigrateProgress> = {}): void {
    this.#options.signal?.throwIfAborted();
    this.#options.onStep?.({ ...counts, step });
  }

  #lookUp(): Promise<Account> {
    return resolveAccount(this.#repo.did, this.#options);
  }

  async #post(session: Session, nsid: string, input?: object): Promise<unknown> {
    return callXrpc(session, nsid, { input, isProcedure: true, signal: this.#options.signal });
  }

  /** All steps before the DID document names the new host. */
  async #move(account: Account): Promise<void> {
    const { from, signal } = this.#options;
    this.#at('account');
    await this.#createAccount();
    // After an earlier run that ended between `deactivate` and `identity`.
    const wasInactive = from !== undefined && !(await accountState(from, signal)).activated;
    if (wasInactive) {
      await this.#post(from, 'com.atproto.server.activateAccount');
    }
    await this.#moveContent(account);
    this.#at('preferences');
    await this.#movePreferences();
    this.#at('sign');
    const operation = await this.#sign();
    await this.#moveIdentity(account, operation);
  }

  async #createAccount(): Promise<void> {
    const { to, from, signingKey, signal } = this.#options;
    const { did } = this.#repo;
    if (await this.#hasAccount()) {
      return;
    }
    const host = publicSession(to.service, this.#options);
    const described = ((await callXrpc(host, 'com.atproto.server.describeServer', { signal })) ?? {}) as {
      did?: unknown;
    };
    if (typeof described.did !== 'string') {
      throw new RepoError(
        'HostFailed',
        `the new host did not describe itself: check its address; service=${this.#origin}`,
      );
    }
    const token = await serviceAuth({ did, audience: described.did, from, signingKey, signal });
    const { handle, email, password, inviteCode } = to;
    try {
      await callXrpc(host, 'com.atproto.server.createAccount', {
        input: { did, handle, email, password, ...(inviteCode === undefined ? {} : { inviteCode }) },
        headers: { authorization: `Bearer ${token}` },
        signal,
      });
    } catch (error) {
      // An earlier run made it, and its response was lost.
      if (!isRepoError(error) || (error as XrpcError).error !== 'AlreadyExists') {
        throw error;
      }
    }
  }

  /** Whether the new host has the account, with this password. */
  async #hasAccount(): Promise<boolean> {
    try {
      await accountState(this.#to, this.#options.signal);
      return true;
    } catch (error) {
      if (isRepoError(error, 'AuthenticationRequired')) {
        return false;
      }
      throw error;
    }
  }

  /** Pulls from the old host, if there is one, then sends everything to the new one. */
  async #moveContent(account: Account): Promise<void> {
    const { from, signal } = this.#options;
    this.#at('records');
    if (from !== undefined) {
      const { status } = await pull(this.#repo, { ...this.#options, session: from, account });
      if (status === 'rolledBack' || status === 'waiting') {
        throw refused(`the copy cannot follow the old host: run pull(repo) to see why; status=${status}`);
      }
    }
    await importAtHost(this.#repo, this.#to, signal);
    this.#at('blobs');
    const onBlob = (done: number, total: number): void => this.#at('blobs', { done, total });
    this.#blobs += await uploadMissing(this.#repo, this.#to, onBlob, signal);
  }

  async #movePreferences(): Promise<void> {
    const { from, signal } = this.#options;
    if (from !== undefined) {
      const found = await callXrpc(from, 'app.bsky.actor.getPreferences', { signal });
      await this.#post(this.#to, 'app.bsky.actor.putPreferences', found as object);
    }
  }

  async #sign(): Promise<SignedOperation> {
    const { from, rotationKey, plcToken, signal } = this.#options;
    const credentials = await recommendedCredentials(this.#to, signal);
    if (rotationKey !== undefined) {
      return signWithKey(this.#repo.did, credentials, rotationKey, this.#options);
    }
    if (from === undefined || plcToken === undefined) {
      throw new RepoError(
        'SignerRequired',
        'the DID document changes: pass plcToken with a session, or a rotation key',
      );
    }
    return signAtHost(from, credentials, plcToken, signal);
  }

  /** Moves what was written meanwhile, checks, and changes the DID document. Nothing is lost if it fails. */
  async #moveIdentity(account: Account, operation: SignedOperation): Promise<void> {
    const { from } = this.#options;
    this.#at('deactivate');
    if (from !== undefined) {
      await this.#post(from, 'com.atproto.server.deactivateAccount', {});
    }
    try {
      if (from !== undefined) {
        await this.#moveContent(account);
      }
      this.#at('check');
      await this.#check();
      this.#at('identity');
      await this.#post(this.#to, 'com.atproto.identity.submitPlcOperation', { operation });
    } catch (error) {
      const moved = await this.#lookUp().catch(() => undefined);
      if (moved !== undefined && moved.pds === this.#origin) {
        // The directory has the operation, and its response was lost.
        return;
      }
      if (from !== undefined && moved !== undefined) {
        await callXrpc(from, 'com.atproto.server.activateAccount', { isProcedure: true }).catch(() => undefined);
      }
      throw error;
    }
  }

  /** @throws {RepoError} `HostRejected` unless both hosts have the head of the copy, and the new one all blobs. */
  async #check(): Promise<void> {
    const { from, signal } = this.#options;
    const { did } = this.#repo;
    const head = String((await this.#repo.head())?.cid);
    const { repoCommit } = await accountState(this.#to, signal);
    if (repoCommit !== head) {
      throw refused(
        `the new host has another head than the copy: run the migration again; head=${head} host=${repoCommit}`,
      );
    }
    if (from !== undefined) {
      const { cid } = await latestCommit({ did, session: from, signal });
      if (cid !== head) {
        throw refused(`the old host has a newer head: run the migration again; head=${head} host=${cid}`);
      }
    }
    const missing = await missingAtHost(this.#to, signal);
    if (missing.length > 0) {
      throw new RepoError(
        'BlobNotFound',
        `the new host lacks ${missing.length} blobs that the copy does not have: fetch them, or delete their records; cid=${missing[0]}`,
      );
    }
  }
}

/**
 * Moves an account to another host: makes it there, sends the records, blobs and preferences of the copy, changes the
 * DID document, and activates it. It works from the copy alone if the old host no longer responds: then it needs the
 * account's signing key and a rotation key.
 *
 * Each step asks the hosts what is done, so a run that ended early is repeated as a whole. The old host is deactivated
 * before the last changes are sent, and activated again if the move fails. The DID document changes only if both hosts
 * have the copy's head, and the new one has all blobs. Nothing secret is stored.
 *
 * @returns The new host. Its head is signed with the earlier key until its next write.
 * @throws {RepoError} `HostRejected` when a check fails or a host refuses a step; `BlobNotFound`, `SignerRequired`,
 *   `InvalidSigner`; `Unsupported` for another DID than did:plc; the errors of the hosts and of {@link pull}.
 * @example
 * ```ts
 * import { openRepo } from 'pdsdb/node';
 * import { migrate, passwordSession } from 'pdsdb/sync';
 *
 * await using repo = await openRepo('alice');
 * const from = passwordSession({ service: 'https://old.example.com', identifier: repo.did, password: 'old' });
 * const to = { service: 'https://new.example.com', handle: 'alice.new.example.com', email: 'a@example.com', password: 'new' };
 * const plcToken = async () => prompt('Token of the mail?') ?? '';
 * console.log(await migrate(repo, { from, to, plcToken, onStep: ({ step }) => console.log(step) }));
 * ```
 * @see https://atproto.com/guides/account-migration
 */
export const migrate = (repo: Repo, options: MigrateOptions): Promise<MigrateResult> =>
  new Migration(repo, options).run();
