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

/** `put`: creates or replaces a record in a commit of its own. */
export const addPut = (program: Command, context: Context): void => {
  const command = program
    .command('put')
    .description('create or replace a record')
    .argument(...REPO)
    .argument('<collection/rkey>', 'which record, or its at:// URI; a collection alone makes a new one under a new TID')
    .argument('<json>', 'its value: JSON, @file, or - for standard input; $type is the collection when left out')
    .addOption(signerOption())
    .addOption(allowOtherKeyOption())
    .option('-m, --message <text>', 'a word about the commit, kept beside it; log shows it')
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
          const answer = { uri, cid: cid.toString(), commit: { cid: commit.cid.toString(), rev: commit.rev } };
          await printOne(context, answer, [
            ['uri', uri],
            ['cid', answer.cid],
            ['commit', answer.commit.cid],
            ['rev', answer.commit.rev],
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
