import type { Command } from 'commander';
import type { ProofResult } from '../../index.ts';
import { readCar, toJson, decodeRecord, verifyProof } from '../../index.ts';
import { readAccountKey } from '../key/public-key.ts';
import { parseWholeRecordPath } from '../record/record-path.ts';
import { parseState } from '../repo/state.ts';
import { accountKeyOption, forceOption, REPO_OR_CAR, withExamples } from '../terminal/arguments.ts';
import { CommandError } from '../terminal/command-error.ts';
import { openInput } from '../terminal/input.ts';
import { printOne } from '../terminal/print.ts';
import { formatBytes } from '../terminal/progress.ts';
import { Reported } from '../terminal/reported.ts';
import type { Context } from '../terminal/shell.ts';
import { withReadable } from '../terminal/with-repo.ts';
import { writeFile } from '../terminal/write-file.ts';

interface Flags {
  readonly output?: string;
  readonly at?: string;
  readonly check?: boolean;
  readonly did?: string;
  readonly key?: string;
  readonly force?: boolean;
}

const makeProof = async (
  context: Context,
  where: string,
  path: string,
  { output, at, force }: Flags,
): Promise<void> => {
  if (output === undefined && context.stdout.isTTY) {
    throw new CommandError(
      'InvalidRequest',
      'A proof is not written to a terminal. Give -o <file>, or redirect the output to a file or a pipe.',
    );
  }
  await withReadable(context, where, async (repo) => {
    const { collection, rkey } = parseWholeRecordPath(path, repo.did);
    const state = at === undefined ? undefined : parseState(at);
    const proof = await repo.proveRecord(`${collection}/${rkey}`, { at: state });
    if (output === undefined) {
      await context.stdout.bytes(proof);
      return;
    }
    const bytes = await writeFile(output, [proof], { force, signal: context.signal });
    const head = String(readCar(proof).roots[0]);
    const uri = `at://${repo.did}/${collection}/${rkey}`;
    await printOne(context, { uri, head, bytes, file: output }, [
      ['uri', uri],
      ['head', head],
      ['size', formatBytes(bytes)],
      ['file', output],
    ]);
  });
};

/** Returns the value of a proven record, if its block is in the proof and in the data model. */
const valueOf = (result: ProofResult): unknown => {
  if (result.state !== 'present' || result.bytes === undefined) {
    return undefined;
  }
  try {
    return toJson(decodeRecord(result.bytes));
  } catch {
    // The record is proven, and it is not in the data model.
    return undefined;
  }
};

const checkProof = async (context: Context, source: string, path: string, { did, key }: Flags): Promise<void> => {
  const publicKey = await readAccountKey(context, key);
  if (did === undefined || publicKey === undefined) {
    throw new CommandError('InvalidRequest', 'A proof is checked for one account. Give --did <did> and --key <key>.');
  }
  const { collection, rkey } = parseWholeRecordPath(path, did);
  const car = await openInput(context, source);
  const result = await verifyProof(car, { did, key: publicKey, path: `${collection}/${rkey}` });
  const { state } = result;
  const isProven = result.state === 'present' || result.state === 'absent';
  const json = {
    state,
    uri: `at://${did}/${collection}/${rkey}`,
    ...(isProven ? { head: result.commit.toString(), rev: result.rev } : { reason: result.reason }),
    ...(result.state === 'present' ? { cid: result.cid.toString(), value: valueOf(result) } : {}),
  };
  await printOne(context, json, [
    ['state', state],
    ['uri', json.uri],
    ['head', isProven ? result.commit.toString() : undefined],
    ['rev', isProven ? result.rev : undefined],
    ['cid', result.state === 'present' ? result.cid.toString() : undefined],
    ['reason', isProven ? undefined : result.reason],
  ]);
  if (!isProven) {
    throw new Reported(`The proof is ${state}: ${result.reason}. Ask the account's host for a new one.`);
  }
};

/** `prove`: makes or checks a CAR that proves a record, or its absence. */
export const addProve = (program: Command, context: Context): void => {
  const command = program
    .command('prove')
    .description('write a CAR that proves a record or its absence to others; with --check, check such a CAR')
    .argument('<repo>', `${REPO_OR_CAR[1]}; with --check, the proof`)
    .argument('<collection/rkey>', 'path or at:// URI of the record')
    .option('-o, --output <file>', 'file to write (default: standard output)')
    .option('--at <state>', 'the commit to prove: a rev, a CID or a ref (default: the head)')
    .option('--check', 'check a proof; exit code 1 if it proves nothing')
    .option('--did <did>', 'with --check, the DID of the account')
    .addOption(accountKeyOption())
    .addOption(forceOption())
    .action((where: string, path: string, flags: Flags) =>
      flags.check === true ? checkProof(context, where, path, flags) : makeProof(context, where, path, flags),
    );
  withExamples(
    command,
    'prove alice app.bsky.actor.profile/self -o proof.car',
    'prove --check proof.car app.bsky.actor.profile/self --did did:web:alice.example.com --key did.json',
  );
};
