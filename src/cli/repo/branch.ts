import type { Command } from 'commander';
import { RepoError } from '../../index.ts';
import { REPO, withExamples } from '../terminal/arguments.ts';
import { printList, printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withReader, withRepo } from '../terminal/with-repo.ts';

const BASE = '.base';

/** `branch`: local commits beside the head. */
export const addBranchVerbs = (program: Command, context: Context): void => {
  const branch = program.command('branch').description('local commits beside the head');

  const list = branch
    .command('ls')
    .description('list branches: name, rev and CID of the head, CID of the base')
    .argument(...REPO)
    .action((directory: string) =>
      withReader(context, directory, async (repo) => {
        const printer = printList(context);
        const refs = await repo.refs();
        for (const [name, cid] of refs) {
          const base = refs.get(name + BASE);
          if (base !== undefined) {
            const rev = (await repo.branch(name).head())?.rev;
            const entry = { name, rev, cid: cid.toString(), base: base.toString() };
            await printer.add(entry, [name, rev, entry.cid, entry.base]);
          }
        }
        await printer.end();
      }),
    );
  withExamples(list, 'branch ls alice');

  const diff = branch
    .command('diff')
    .description('list the changes of a branch: action, path, CID before, CID after')
    .argument(...REPO)
    .argument('<name>', 'name of the branch')
    .action((directory: string, name: string) =>
      withReader(context, directory, async (repo) => {
        const printer = printList(context);
        if ((await repo.branch(name).head()) === undefined) {
          throw new RepoError('RefNotFound', `the branch is missing: pdsdb branch ls lists branches; name=${name}`);
        }
        for await (const { action, collection, rkey, cid, prev } of repo.branch(name).diff()) {
          const path = `${collection}/${rkey}`;
          const [before, after] = [prev?.toString(), cid?.toString()];
          await printer.add({ action, path, prev: before, cid: after }, [action, path, before, after]);
        }
        await printer.end();
      }),
    );
  withExamples(diff, 'branch diff alice outbox');

  const discard = branch
    .command('discard')
    .description('remove a branch; its blocks stay until gc')
    .argument(...REPO)
    .argument('<name>', 'name of the branch')
    .action((directory: string, name: string) =>
      withRepo(context, directory, async (repo) => {
        if (!(await repo.branch(name).discard())) {
          throw new RepoError('RefNotFound', `the branch is missing: pdsdb branch ls lists branches; name=${name}`);
        }
        await printOne(context, { name }, [['discarded', name]]);
      }),
    );
  withExamples(discard, 'branch discard alice outbox');
};
