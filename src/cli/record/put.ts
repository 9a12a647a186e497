import type { Command } from 'commander';
import type { CID, CommitRef, RecordValue, Repo, WriteOptions } from '../../index.ts';
import { allowOtherKeyOption, REPO, signerOption, withExamples } from '../terminal/arguments.ts';
import { readRecord } from '../terminal/input.ts';
import { readSigner } from '../key/key-file.ts';
import { printOne } from '../terminal/print.ts';
import type { RecordPath } from './record-path.ts';
import { parseRecordPath } from './record-path.ts';
import type { Context } from '../terminal/shell.ts';
import { warnOfClock } from './clock-warning.ts';
import { withRepo } from '../terminal/with-repo.ts';

interface Flags {
  readonly key?: string;
  readonly message?: string;
  readonly allowOtherKey?: boolean;
}

interface Put {
  readonly uri: string;
  readonly cid: CID;
  readonly commit: CommitRef;
}

const putRecord = async (
  repo: Repo,
  { collection, rkey }: RecordPath,
  value: RecordValue,
  options: WriteOptions,
): Promise<Put> => {
  if (rkey !== undefined) {
    return repo.put(collection, rkey, value, options);
  }
  const { results, ...commit } = await repo.write([{ action: 'create', collection, value }], options);
  const { uri, cid } = results[0]!;
  return { uri, cid: cid!, commit };
};

/** `put`: creates or replaces a record in one commit. */
export const addPut = (program: Command, context: Context): void => {
  const command = program
    .command('put')
    .description('create or replace a record')
    .argument(...REPO)
    .argument(
      '<collection/rkey>',
      'path or at:// URI of the record; a collection without a key creates a record with a new TID',
    )
    .argument('<json>', 'value: JSON, @file, or - for standard input ($type defaults to the collection)')
    .addOption(signerOption())
    .addOption(allowOtherKeyOption())
    .option('-m, --message <text>', 'local message of the commit; pdsdb log shows it')
    .action(async (directory: string, path: string, source: string, { key, message, allowOtherKey }: Flags) => {
      const signer = await readSigner(context, key);
      const value = await readRecord(context, source);
      await withRepo(
        context,
        directory,
        async (repo) => {
          const { uri, cid, commit } = await putRecord(repo, parseRecordPath(path, repo.did), value, {
            message,
            allowOtherKey,
          });
          const result = { uri, cid: cid.toString(), commit: { cid: commit.cid.toString(), rev: commit.rev } };
          await printOne(context, result, [
            ['uri', uri],
            ['cid', result.cid],
            ['commit', result.commit.cid],
            ['rev', result.commit.rev],
          ]);
          await warnOfClock(context, commit);
        },
        signer,
      );
    });
  withExamples(
    command,
    `put alice app.bsky.feed.post '{"text":"Hello","createdAt":"2026-01-01T00:00:00Z"}' --key alice.key`,
    'put alice app.bsky.actor.profile/self @profile.json',
  );
};
