/** What the cases for whole repositories run on, and the records that they put there. */
import type { Repo, RepoInfo, WriteOp } from '../../core/repo/repo.ts';
import type { CarSource } from '../../core/car/source.ts';
import type { ImportOptions } from '../../core/repo/long-work.ts';
import type { ImportedRepo } from '../../core/repo/transfer/imported-repo.ts';
import type { Signer } from '../../core/crypto/signer.ts';
import type { Validate } from '../../core/repo/record.ts';
import type { SigningKey } from '../../core/crypto/signing-key.ts';
import { importKey } from '../../core/crypto/signing-key.ts';
import type { Case } from '../case.ts';

/** One place for one repository. Each case wants a harness of its own. */
export interface RepoHarness {
  /** Makes a repository at an empty place. */
  create(options: {
    readonly did: string;
    readonly signer?: Signer | undefined;
    readonly validate?: Validate;
  }): Promise<Repo>;
  /** Opens the same place again. What was open there before has been closed. */
  open(options?: { readonly signer?: Signer | undefined }): Promise<Repo>;
  /** Opens the same place while it is open. Left out where a repository has one owner at a time. */
  openBeside?(options?: { readonly signer?: Signer | undefined }): Promise<Repo>;
  /** Said of a place where listeners of one owner hear of the heads of others. */
  readonly hearsOthers?: true;
  /** Opens the same place for reading. Left out where there is no such thing. */
  openReadOnly?(): Promise<Repo>;
  /** Opens the place, and makes a repository if the place is empty. Left out by an adapter without such a function. */
  openOrCreate?(options: { readonly did: string; readonly signer?: Signer | undefined }): Promise<Repo>;
  /** Makes a repository from a CAR. Left out by an adapter without such a function. */
  importRepo?(car: CarSource, options?: ImportOptions): Promise<ImportedRepo>;
  /** A second place, empty: for what goes from one repository to another. */
  other(): RepoHarness;
  /** Said of a place that keeps nothing once it is closed. */
  readonly forgetful?: true;
  /** Said of a place that has no files to back up. */
  readonly noFiles?: true;
}

export const DID = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz';
export const OTHER_DID = 'did:web:other.example.com';

export const POST = 'app.bsky.feed.post';
/** Its name begins with that of {@link POST}: lists must tell them apart. */
export const POSTGATE = 'app.bsky.feed.postgate';
export const LIKE = 'app.bsky.feed.like';

/** Keys out of thin air, the same each time. */
export const KEY: SigningKey = /* @__PURE__ */ importKey('11'.repeat(32), 'secp256k1');
export const OTHER_KEY: SigningKey = /* @__PURE__ */ importKey('22'.repeat(32), 'p256');

/**
 * An option of `gc`: removes at once what nothing keeps. Where several processes may have a repository open, it stays
 * for an hour otherwise.
 */
export const AT_ONCE = { commitAge: 0 } as const;

/** A short record; those with different texts have different CIDs. */
export const post = (text: string): { readonly $type: string; readonly text: string; readonly createdAt: string } => ({
  $type: POST,
  text,
  createdAt: '2024-01-02T03:04:05.678Z',
});

/** Record keys that sort as their numbers do. */
export const rkeyOf = (n: number): string => `3k${String(n).padStart(11, '0')}`;

/** Creates of so many posts, their keys in order. */
export const creates = (count: number, from = 0): WriteOp[] =>
  Array.from({ length: count }, (_, i) => ({
    action: 'create',
    collection: POST,
    rkey: rkeyOf(from + i),
    value: post(`post ${from + i}`),
  }));

/** Returns the content of a repository as text, to compare before and after. */
export const describe = async (repo: Repo): Promise<string> => {
  const { head, rev, records, blocks, blobs, commits, collections }: RepoInfo = await repo.info();
  const counts = collections.map(({ collection, count }) => `${collection}=${count}`).join(' ');
  return `${head} ${rev} ${records} records ${blocks} blocks ${blobs} blobs ${commits} commits ${counts}`;
};

/** A case over a new repository, which is closed afterwards. `null` for one without a signer. */
export const over = (
  name: string,
  run: (repo: Repo, harness: RepoHarness) => Promise<void>,
  signer: Signer | null = KEY,
): Case<RepoHarness> => ({
  name,
  run: async (harness) => {
    const repo = await harness.create({ did: DID, signer: signer ?? undefined });
    await run(repo, harness);
    await repo.close();
  },
});

/** Makes a further repository, which the case does not have to close: the account's host, or a copy. */
export type MakeRepo = (did?: string) => Promise<Repo>;

/** As {@link over}, with a function that makes further repositories with the signer {@link KEY}. */
export const overMore = (
  name: string,
  run: (repo: Repo, make: MakeRepo, harness: RepoHarness) => Promise<void>,
  signer: Signer | null = KEY,
): Case<RepoHarness> =>
  over(
    name,
    async (repo, harness) => {
      const made: Repo[] = [];
      const make = async (did = DID): Promise<Repo> => {
        const more = await harness.other().create({ did, signer: KEY });
        made.push(more);
        return more;
      };
      try {
        await run(repo, make, harness);
      } finally {
        await Promise.all(made.map((more) => more.close()));
      }
    },
    signer,
  );
