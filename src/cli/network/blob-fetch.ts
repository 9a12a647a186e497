import type { Command } from 'commander';
import { parseCid } from '../../index.ts';
import { fetchMissingBlobs } from '../../sync.ts';
import { withExamples } from '../terminal/arguments.ts';
import { printOne } from '../terminal/print.ts';
import { Reported } from '../terminal/reported.ts';
import type { Context } from '../terminal/shell.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { withRepo } from '../terminal/with-repo.ts';
import type { NetworkFlags } from './network-options.ts';
import { addNetworkOptions, networkOf, networkWords, REPO_HERE } from './network-options.ts';
import { blobsToJson, warnOfBlobs } from './print-pull.ts';
import { withPullProgress } from './pull-progress.ts';
import { resumable } from './resumable.ts';

/** `blob fetch`: fetches missing blobs from the host. Call it after `addBlobVerbs`, which adds the verb `blob`. */
export const addBlobFetch = (program: Command, context: Context): void => {
  const blob = program.commands.find((command) => command.name() === 'blob')!;
  const command = addNetworkOptions(blob.command('fetch').description('fetch missing blobs from the host'))
    .argument(...REPO_HERE)
    .argument('[cids...]', 'CIDs of blobs (default: all that records refer to and that are missing)')
    .action((directory: string, texts: readonly string[], flags: NetworkFlags) => {
      const cids = texts.map((text) => parseCid(text).toString());
      const again = ['pdsdb blob fetch', shellWord(directory), ...cids, ...networkWords(flags)].join(' ');
      return resumable(
        context,
        () => again,
        () =>
          withRepo(context, directory, async (repo) => {
            const options = { ...networkOf(context, program, flags), cids: cids.length === 0 ? undefined : cids };
            const blobs = await withPullProgress(context, (work) => fetchMissingBlobs(repo, { ...options, ...work }));
            await printOne(context, blobsToJson(blobs), [
              ['fetched', blobs.fetched],
              ['bytes', blobs.bytes],
              ['failed', blobs.failed.length],
            ]);
            await warnOfBlobs(context, blobs);
            if (blobs.failed.length > 0) {
              const stopped = blobs.stopped === undefined ? '' : 'The host stopped sending blobs. ';
              throw new Reported(
                `${stopped}Number of blobs that were not fetched: ${blobs.failed.length}. To try again, run: ${again}`,
              );
            }
          }),
      );
    });
  withExamples(command, 'blob fetch alice.example.com');
};
