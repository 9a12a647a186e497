import type { Command } from 'commander';
import { isRepoError } from '../../index.ts';
import type { PushResult } from '../../sync.ts';
import { openOutbox, pull } from '../../sync.ts';
import { withExamples } from '../terminal/arguments.ts';
import { printOne } from '../terminal/print.ts';
import { Reported } from '../terminal/reported.ts';
import type { Context } from '../terminal/shell.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { withRepo } from '../terminal/with-repo.ts';
import type { NetworkFlags } from './network-options.ts';
import { addNetworkOptions, networkOf, networkWords, REPO_HERE } from './network-options.ts';
import { ownerSession } from './owner-session.ts';
import { resumable } from './resumable.ts';
import { sessionOption, sessionPath } from './session-file.ts';
import { withPullProgress } from './pull-progress.ts';

interface Flags extends NetworkFlags {
  readonly session?: string;
}

/** Returns why changes are still pending, and what to do. */
const failureOf = (name: string, { status, conflicts, rejected, resetAt, error }: PushResult): string | undefined => {
  const reason = isRepoError(error) ? ` ${error.message}` : '';
  switch (status) {
    case 'waitingForSession':
      return `The host does not accept the session. Sign in with pdsdb login ${name}, and push again.${reason}`;
    case 'rateLimited': {
      const until = resetAt === undefined ? 'Push again later.' : `Push again at ${new Date(resetAt).toISOString()}.`;
      return `The host limits the number of requests. ${until}`;
    }
    case 'inactive':
    case 'unreachable':
      return `Nothing is lost. Push again later.${reason}`;
    default:
      break;
  }
  if (conflicts.length > 0) {
    return `The host has other values at ${conflicts.length} paths. To see them, run: pdsdb outbox ls ${name}`;
  }
  return rejected.length > 0
    ? `The host refused ${rejected.length} changes. To see why, run: pdsdb outbox ls ${name}`
    : undefined;
};

/** `push`: sends the changes of the outbox to the account's host. */
export const addPush = (program: Command, context: Context): void => {
  const command = addNetworkOptions(
    program.command('push').description("send the changes of the outbox to the account's host; pulls first"),
  )
    .argument(...REPO_HERE)
    .addOption(sessionOption())
    .action((directory: string, flags: Flags) =>
      resumable(
        context,
        () => ['pdsdb push', shellWord(directory), ...networkWords(flags)].join(' '),
        () =>
          withRepo(context, directory, async (repo) => {
            const network = { ...networkOf(context, program, flags), signal: context.signal };
            const session = await ownerSession(context, repo, network, sessionPath(directory, flags.session));
            await using outbox = openOutbox(repo);
            const result = await withPullProgress(context, (work) =>
              outbox.push({
                session,
                signal: work.signal,
                pull: () => pull(repo, { ...network, ...work, blobs: false }),
              }),
            );
            const { error, ...rest } = result;
            const json = { ...rest, ...(isRepoError(error) ? { error: error.message } : {}) };
            await printOne(context, json, [
              ['status', result.status],
              ['landed', result.landed.length],
              ['conflicts', result.conflicts.length],
              ['rejected', result.rejected.length],
              ['pending', result.pending],
            ]);
            const failure = failureOf(shellWord(directory), result);
            if (failure !== undefined) {
              throw new Reported(failure);
            }
          }),
      ),
    );
  withExamples(command, 'push alice.example.com');
};
