import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export const title = 'The command `pdsdb info` in a new process';
/** The time does not depend on the number of records. */
export const isShort = true;
/** The least share of the time of `pdsdb info` that `node -e 0` takes. Node 22 starts faster, and compiles less. */
export const targets = {
  'node -e 0': { 100000: Number(process.versions.node.split('.')[0]) < 22 ? 1 / 4.5 : 1 / 3.5 },
};

const run = (args) => {
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
};

export const contenders = {
  pdsdb: {
    does: 'Node started; arguments, lock, layout, head, counts; printed',
    skips: 'nothing',
    load:
      ({ repo }) =>
      () =>
        run([cli, 'info', repo]),
  },
  'node -e 0': {
    does: 'Node started',
    skips: 'everything else',
    load: () => () => run(['-e', '0']),
  },
};
