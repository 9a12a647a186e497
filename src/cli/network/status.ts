import type { Command } from 'commander';
import type { CopyStatus } from '../../sync.ts';
import { status } from '../../sync.ts';
import { withExamples } from '../terminal/arguments.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { withReader } from '../terminal/with-repo.ts';
import type { NetworkFlags } from './network-options.ts';
import { addNetworkOptions, networkOf, REPO_HERE } from './network-options.ts';
import { withPullProgress } from './pull-progress.ts';

const toJson = ({ did, handle, pds, local, host, todo }: CopyStatus): object => ({
  did,
  handle: handle ?? null,
  pds: pds ?? null,
  local: { ...local, head: local.head ?? null, rev: local.rev ?? null },
  host: { ...host, ...(host.error === undefined ? {} : { error: host.error.code, message: host.error.message }) },
  todo,
});

/** `status`: compares a copy with its host. */
export const addStatus = (program: Command, context: Context): void => {
  const command = addNetworkOptions(
    program.command('status').description('compare a copy with its host, and list what to do; changes nothing'),
  )
    .argument(...REPO_HERE)
    .action((directory: string, flags: NetworkFlags) =>
      withReader(context, directory, async (repo) => {
        const network = networkOf(context, program, flags);
        const found = await withPullProgress(context, ({ signal, onProgress }) => {
          onProgress?.({ phase: 'head', bytes: 0, blocks: 0, records: 0, blobs: 0 });
          return status(repo, { ...network, signal, name: shellWord(directory) });
        });
        const { did, handle, pds, local, host, todo } = found;
        await printOne(context, toJson(found), [
          ['did', did],
          ['handle', handle],
          ['host', pds],
          ['head', local.head ?? 'none yet'],
          ['rev', local.rev],
          ['records', local.records],
          ['blobs', local.blobs],
          ['missing blobs', local.missingBlobs],
          ['not sent', local.pending],
          ['kept heads', local.kept.length],
          ['state', host.state],
          ["host's rev", host.rev],
          ...todo.map(({ problem, command: fix }) => ['to do', `${problem}. Run: ${fix}`] as const),
        ]);
      }),
    );
  withExamples(command, 'status alice.example.com', 'status alice.example.com --json');
};
