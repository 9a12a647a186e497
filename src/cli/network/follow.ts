import type { Command } from 'commander';
import { Option } from 'commander';
import type { FollowSource, FollowUpdate } from '../../sync.ts';
import { follow } from '../../sync.ts';
import { wholeNumber, withExamples } from '../terminal/arguments.ts';
import { printList, warn } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withRepo } from '../terminal/with-repo.ts';
import type { NetworkFlags } from './network-options.ts';
import { addNetworkOptions, networkOf, REPO_HERE } from './network-options.ts';

interface Flags extends NetworkFlags {
  readonly source?: FollowSource;
  readonly jetstream?: string;
  readonly every?: number;
}

const DEFAULT_SECONDS = 60;

const toJson = (update: FollowUpdate): object =>
  update.type === 'state'
    ? update
    : {
        type: 'change',
        via: update.via,
        from: update.from?.cid.toString() ?? null,
        to: update.to.cid.toString(),
        rev: update.to.rev,
        changes: update.changes.map(({ action, collection, rkey, cid }) => ({
          action,
          path: `${collection}/${rkey}`,
          cid: cid?.toString() ?? null,
        })),
      };

/** Prints a line for each state and each changed record. */
const print = async (context: Context, update: FollowUpdate): Promise<void> => {
  const printer = printList(context);
  if (context.json || update.type === 'state') {
    const { state = '', reason = '' } = update.type === 'state' ? update : {};
    await printer.add(toJson(update), ['state', state, reason]);
  } else {
    for (const { action, collection, rkey, cid } of update.changes) {
      await printer.add(undefined, [action, `${collection}/${rkey}`, cid?.toString()]);
    }
  }
  await printer.end();
};

/** Returns the source. Node 20 has no WebSocket. */
const sourceOf = async (context: Context, { source }: Flags): Promise<FollowSource> => {
  if (source !== undefined || typeof (globalThis as { WebSocket?: unknown }).WebSocket === 'function') {
    return source ?? 'firehose';
  }
  await warn(context, 'this Node has no WebSocket, so the host is asked at fixed times. Node 22 has one');
  return 'poll';
};

/** `follow`: keeps a copy current until Ctrl-C. */
export const addFollow = (program: Command, context: Context): void => {
  const command = addNetworkOptions(
    program.command('follow').description('keep a copy current until Ctrl-C, and print each change'),
  )
    .argument(...REPO_HERE)
    .addOption(
      new Option(
        '--source <source>',
        "the events of the account's host, those of a Jetstream service, or none",
      ).choices(['firehose', 'jetstream', 'poll']),
    )
    .option('--jetstream <url>', 'address of the Jetstream service (wss://…)')
    .option('--every <seconds>', `seconds between two looks at the host (default: ${DEFAULT_SECONDS})`, wholeNumber(1))
    .action((directory: string, flags: Flags) =>
      withRepo(context, directory, async (repo) => {
        const { signal } = context;
        const updates = follow(repo, {
          ...networkOf(context, program, flags),
          signal,
          source: await sourceOf(context, flags),
          jetstreamUrl: flags.jetstream,
          checkMs: 1000 * (flags.every ?? DEFAULT_SECONDS),
        });
        for await (const update of updates) {
          if (update.type === 'change' || update.state !== 'closed') {
            await print(context, update);
          }
        }
        signal.throwIfAborted();
      }),
    );
  withExamples(command, 'follow alice.example.com', 'follow alice.example.com --source poll --every 300 --json');
};
