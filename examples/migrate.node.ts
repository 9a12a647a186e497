/**
 * Moves an account to another host, from a copy in a folder. If it ends early, run the same line again: it continues.
 * Make the copy with `pdsdb clone alice.old.example.com alice`. Node 22.18 and later run this file directly:
 *
 *     read -rs OLD_PASSWORD && read -rs NEW_PASSWORD && export OLD_PASSWORD NEW_PASSWORD
 *     node examples/migrate.node.ts alice https://new.example.com alice.new.example.com alice@example.com
 *
 * Passwords come from the environment, because other users of the machine see the arguments of a program. The old host
 * sends a token by mail during the run, and the program asks for it. For hosts of your own, set `ATP_PLC_HOST`.
 */
import { stdin, stderr } from 'node:process';
import { createInterface } from 'node:readline/promises';
import { isRepoError } from 'pdsdb';
import { openRepo } from 'pdsdb/node';
import { migrate, passwordSession, resolveAccount } from 'pdsdb/sync';

const [folder, service, handle, email] = process.argv.slice(2);
if (folder === undefined || service === undefined || handle === undefined || email === undefined) {
  throw new Error('Give the folder of the copy, the address of the new host, the new handle and an email address.');
}

const secret = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`Set ${name} in the environment.`);
  }
  return value;
};
const [oldPassword, password] = [secret('OLD_PASSWORD'), secret('NEW_PASSWORD')];

/** Asks on the terminal. The end of the input, as by Ctrl-C, ends the run. */
const ask = async (question: string): Promise<string> => {
  const lines = createInterface({ input: stdin, output: stderr });
  const end = new AbortController();
  lines.once('close', () => end.abort(new Error('no token was entered: run the same line again')));
  try {
    return (await lines.question(question, { signal: end.signal })).trim();
  } catch (error) {
    throw end.signal.aborted ? end.signal.reason : error;
  } finally {
    lines.close();
  }
};

const plcUrl = process.env['ATP_PLC_HOST'];
const network = { plcUrl, allowPrivate: plcUrl !== undefined };
const repo = await openRepo(folder);
try {
  const { pds } = await resolveAccount(repo.did, network);
  const from = passwordSession({ ...network, service: pds, identifier: repo.did, password: oldPassword });
  let last = '';
  const moved = await migrate(repo, {
    ...network,
    from,
    to: { service, handle, email, password },
    plcToken: () => ask('Token in the mail of the old host: '),
    onStep: ({ step }) => {
      if (step !== last) {
        console.error(step);
      }
      last = step;
    },
  });
  console.log([moved.did, moved.pds, moved.head].join('\t'));
} catch (error) {
  console.error(isRepoError(error) ? `${error.code}: ${error.message}` : String(error));
  process.exitCode = 1;
} finally {
  await repo.close();
}
