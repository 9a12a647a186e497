import type { Command } from 'commander';
import type { KeySource, VerifyCarReport, VerifyReport } from '../../index.ts';
import { verifyCar } from '../../index.ts';
import { CAR, REPO_OR_CAR, accountKeyOption, withExamples } from '../terminal/arguments.ts';
import { readAccountKey } from '../key/public-key.ts';
import { openInput } from '../terminal/input.ts';
import { printList, printOne } from '../terminal/print.ts';
import { warnOfMore } from '../terminal/warn-of-more.ts';
import { withProgress } from '../terminal/progress.ts';
import { Reported } from '../terminal/reported.ts';
import type { Context } from '../terminal/shell.ts';
import { isCar, withReadable } from '../terminal/with-repo.ts';

/** The report on a repository or a CAR. A CAR has no blobs. */
type Report = Omit<VerifyReport, 'blobs'> & Partial<Pick<VerifyReport, 'blobs'> & Pick<VerifyCarReport, 'content'>>;

const verifyAt = async (
  context: Context,
  argument: typeof CAR,
  where: string,
  key: KeySource | undefined,
): Promise<Report> =>
  argument === CAR || (await isCar(where))
    ? withProgress(context, async (work) => verifyCar(await openInput(context, where), { ...work, key }))
    : withReadable(context, where, (repo) => withProgress(context, (work) => repo.verify({ ...work, key })));

/** `verify` and `car verify`: check everything. Exit code 1 if there is a fault. @param argument {@link CAR} */
export const addVerify = (program: Command, context: Context, argument: typeof CAR = REPO_OR_CAR): void => {
  const isOfCar = argument === CAR;
  const command = program
    .command('verify')
    .description(
      `check everything: ${isOfCar ? '' : 'database, '}hashes, tree, records${isOfCar ? '' : ', blobs'} and signature; exit code 1 if there is a fault`,
    )
    .argument(...argument)
    .addOption(accountKeyOption())
    .action(async (where: string, { key }: { key?: string }) => {
      const report = await verifyAt(context, argument, where, await readAccountKey(context, key));
      const faults = report.faults.map(({ code, message, path, cid }) => ({
        code,
        message,
        path,
        cid: cid?.toString(),
      }));
      if (report.ok || context.json) {
        const { ok, faultCount, signature, records, blocks, blobs } = report;
        await printOne(context, { ok, faultCount, faults, signature, records, blocks, blobs }, [
          ['ok', 'yes'],
          ['signature', signature],
          ['records', records],
          ['blocks', blocks],
          ['blobs', blobs],
        ]);
      } else {
        const list = printList(context);
        for (const fault of faults) {
          await list.add(fault, [fault.code, fault.path, fault.cid, fault.message]);
        }
        await list.end();
        await warnOfMore(context, report.faultCount - faults.length);
      }
      if (!report.ok) {
        const count = `${report.faultCount} ${report.faultCount === 1 ? 'fault' : 'faults'} found.`;
        throw new Reported(
          report.content === 'part'
            ? `${count} The CAR is a part of a repository, such as a proof or a difference. To check a proof, run pdsdb prove --check.`
            : `${count} To repair a repository, run pdsdb repair.`,
        );
      }
    });
  withExamples(
    command,
    ...(isOfCar
      ? ['car verify alice.car', 'car verify alice.car --key did.json']
      : [
          'verify alice',
          'verify alice --key did:key:zQ3shunBKsXixLxKtC5qeSG9E4J5RkGN57im31pcTzbNQnm5w',
          'verify alice.car --key did.json',
          'verify alice --key <(curl -s https://plc.directory/did:plc:ewvi7nxzyoun6zhxrhs64oiz)',
        ]),
  );
};
