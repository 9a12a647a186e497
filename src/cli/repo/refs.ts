import type { Command } from 'commander';
import { RepoError } from '../../index.ts';
import { REPO, REPO_OR_CAR, withExamples } from '../terminal/arguments.ts';
import { printList, printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { parseState } from './state.ts';
import { withReadable, withRepo } from '../terminal/with-repo.ts';

/** `refs`: names of commits. `gc` keeps commits that have a ref. */
export const addRefs = (program: Command, context: Context): void => {
  const refs = program.command('refs').description('names of commits; gc keeps these commits, and main is the head');

  const list = refs
    .command('ls')
    .description('list refs: name and CID')
    .argument(...REPO_OR_CAR)
    .action((directory: string) =>
      withReadable(context, directory, async (repo) => {
        const printer = printList(context);
        for (const [name, cid] of await repo.refs()) {
          await printer.add({ name, cid: cid.toString() }, [name, cid.toString()]);
        }
        await printer.end();
      }),
    );
  withExamples(list, 'refs ls alice');

  const set = refs
    .command('set')
    .description('point a ref at a commit')
    .argument(...REPO)
    .argument('<name>', 'name of the ref')
    .argument('<target>', 'a rev, a CID or another ref')
    .action((directory: string, name: string, target: string) =>
      withRepo(context, directory, async (repo) => {
        await repo.setRef(name, parseState(target));
        const cid = (await repo.refs()).get(name)!.toString();
        await printOne(context, { name, cid }, [
          ['name', name],
          ['cid', cid],
        ]);
      }),
    );
  withExamples(set, 'refs set alice before-cleanup main');

  const remove = refs
    .command('rm')
    .description('remove a ref; the commit stays until gc')
    .argument(...REPO)
    .argument('<name>', 'name of the ref')
    .action((directory: string, name: string) =>
      withRepo(context, directory, async (repo) => {
        if (!(await repo.removeRef(name))) {
          throw new RepoError('RefNotFound', `the ref is missing: pdsdb refs ls lists refs; name=${name}`);
        }
        await printOne(context, { name }, [['removed', name]]);
      }),
    );
  withExamples(remove, 'refs rm alice before-cleanup');
};
