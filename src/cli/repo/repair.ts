import type { Command } from 'commander';
import type { Loss, RepairReport, Repo } from '../../index.ts';
import { isRepoError } from '../../index.ts';
import type { SalvageReport } from '../../node.ts';
import { openRepo, salvageRepo } from '../../node.ts';
import { REPO, withExamples } from '../terminal/arguments.ts';
import { printList, printOne } from '../terminal/print.ts';
import { warnOfMore } from '../terminal/warn-of-more.ts';
import { withProgress } from '../terminal/progress.ts';
import { Reported } from '../terminal/reported.ts';
import type { Context } from '../terminal/shell.ts';
import { closing } from '../terminal/closing.ts';
import { assertRepo } from '../terminal/with-repo.ts';

interface Outcome {
  readonly salvage: SalvageReport | undefined;
  /** `undefined` after a dry run of a salvage: a repair is only known after the salvage. */
  readonly report: RepairReport | undefined;
}

const repairOpen = async (context: Context, repo: Repo, dryRun: boolean): Promise<RepairReport> =>
  withProgress(context, (work) => repo.repair({ ...work, dryRun }));

/** Repairs. Returns `undefined` if the database is so damaged that it needs a salvage. */
const tryRepair = async (context: Context, directory: string, dryRun: boolean): Promise<RepairReport | undefined> => {
  try {
    return await closing(await openRepo(directory, { waitMs: context.waitMs }), (repo) =>
      repairOpen(context, repo, dryRun),
    );
  } catch (error) {
    if (!isRepoError(error, 'Corrupt')) {
      throw error;
    }
    return undefined;
  }
};

const repair = async (context: Context, directory: string, dryRun: boolean): Promise<Outcome> => {
  const report = await tryRepair(context, directory, dryRun);
  if (report !== undefined) {
    return { salvage: undefined, report };
  }
  const salvage = await withProgress(context, (work) => salvageRepo(directory, { ...work, dryRun }));
  return {
    salvage,
    report: dryRun
      ? undefined
      : await closing(await openRepo(directory, { waitMs: context.waitMs }), (repo) =>
          repairOpen(context, repo, false),
        ),
  };
};

const lossJson = ({ kind, message, cid, path, request }: Loss) => ({
  kind,
  message,
  cid: cid.toString(),
  path,
  request,
});

const printJson = (context: Context, dryRun: boolean, { salvage, report }: Outcome): Promise<void> =>
  printOne(
    context,
    {
      whole: report?.whole ?? null,
      dryRun,
      head: report?.head?.toString() ?? null,
      rev: report?.rev ?? null,
      steps: (report?.steps ?? []).map(({ action, message, cid, path }) => ({
        action,
        message,
        cid: cid?.toString(),
        path,
      })),
      lost: (report?.lost ?? []).map(lossJson),
      stepCount: report?.stepCount ?? 0,
      lostCount: report?.lostCount ?? 0,
      ...(salvage === undefined ? {} : { salvage }),
    },
    [],
  );

const printText = async (context: Context, dryRun: boolean, { salvage, report }: Outcome): Promise<void> => {
  const list = printList(context);
  if (salvage !== undefined) {
    const { blocks, commits, damagedBlocks, keptAs } = salvage;
    const kept = keptAs === undefined ? 'nothing was changed' : `the damaged database is kept as ${keptAs}`;
    await list.add(salvage, [
      'salvage',
      `a new database; blocks=${blocks} commits=${commits} damaged=${damagedBlocks}; ${kept}`,
    ]);
  }
  for (const step of report?.steps ?? []) {
    await list.add(step, [step.action, step.message]);
  }
  for (const loss of report?.lost ?? []) {
    await list.add(loss, ['lost', loss.message, loss.request]);
  }
  if (salvage === undefined && report?.steps.length === 0 && report.lost.length === 0) {
    await list.add(report, ['sound', 'there is nothing to repair']);
  } else if (dryRun) {
    await list.add(report, ['dry run', 'nothing was changed']);
  }
  await list.end();
  await warnOfMore(
    context,
    report === undefined ? 0 : report.stepCount + report.lostCount - report.steps.length - report.lost.length,
  );
};

/** `repair`: repairs damage and lists losses. Exit code 1 if the head has losses. */
export const addRepair = (program: Command, context: Context): void => {
  const command = program
    .command('repair')
    .description(
      "repair damage and list losses, with the requests that fetch them from the account's host; exit code 1 if there are losses",
    )
    .argument(...REPO)
    .option('--dry-run', 'print the steps without changing anything')
    .action(async (directory: string, { dryRun = false }: { dryRun?: boolean }) => {
      context.signal.throwIfAborted();
      await assertRepo(directory);
      const outcome = await repair(context, directory, dryRun);
      await (context.json ? printJson(context, dryRun, outcome) : printText(context, dryRun, outcome));
      if (outcome.report?.whole === false) {
        const { head, lostCount } = outcome.report;
        throw new Reported(
          head === undefined
            ? 'No commit is left. Import a CAR of the account.'
            : lostCount === 1
              ? '1 loss remains. Import a CAR of the account to restore it.'
              : `${lostCount} losses remain. Import a CAR of the account to restore them.`,
        );
      }
    });
  withExamples(command, 'repair alice --dry-run', 'repair alice');
};
