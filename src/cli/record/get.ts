import type { Command } from 'commander';
import { RepoError, toJson } from '../../index.ts';
import { REPO_OR_CAR, withExamples } from '../terminal/arguments.ts';
import { parseState } from '../repo/state.ts';
import { jsonText } from '../terminal/print.ts';
import { parseWholeRecordPath } from './record-path.ts';
import type { Context } from '../terminal/shell.ts';
import { withReadable } from '../terminal/with-repo.ts';

/** `get`: prints one record. Without `--json` it prints only the value, so that it can be edited and put back. */
export const addGet = (program: Command, context: Context): void => {
  const command = program
    .command('get')
    .description('print the value of a record as JSON; with --json also its URI and CID')
    .argument(...REPO_OR_CAR)
    .argument('<collection/rkey>', 'path or at:// URI of the record')
    .option('--at <state>', 'the record in an older commit: a rev, a CID or a ref (default: the head)')
    .action((directory: string, path: string, { at }: { at?: string }) =>
      withReadable(context, directory, async (repo) => {
        const { collection, rkey } = parseWholeRecordPath(path, repo.did);
        const from = at === undefined ? repo : await repo.checkout(parseState(at));
        const record = await from.get(collection, rkey);
        if (record === undefined) {
          throw new RepoError(
            'RecordNotFound',
            `the repository has no record at this path: pdsdb ls lists records; path=${path}`,
          );
        }
        const value = toJson(record.value);
        const text = context.json
          ? jsonText({ uri: record.uri, cid: record.cid.toString(), value })
          : jsonText(value, 2);
        await context.stdout.text(`${text}\n`);
      }),
    );
  withExamples(
    command,
    'get alice app.bsky.actor.profile/self',
    'get alice at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3l3qo2vutsw2b',
    'get alice app.bsky.actor.profile/self --at 3l3qo2vutsw2b',
    'get alice.car app.bsky.actor.profile/self',
  );
};
