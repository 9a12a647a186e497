// Compares this tree with another checkout of it, operation by operation, in pairs: theirs, ours, theirs, ours …
//   node bench/paired.mjs --against ../before --only verify,import --size 100000 --pairs 15
// Both checkouts have to be built (`npm run build`) and to have the packages of `bench/`. Prints, for each operation,
// the median of the ratios this / other of wall and processor time, and the 95 % interval of that median.
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measureAlone } from './alone.mjs';
import { intervalOf, medianOf } from './interval.mjs';

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    only: { type: 'string', default: 'verify,import,get,list,export' },
    size: { type: 'string', default: '100000' },
    pairs: { type: 'string', default: '15' },
    runs: { type: 'string', default: '3' },
  },
});
if (values.against === undefined) {
  throw new Error('--against <folder> names the other checkout');
}
const here = fileURLToPath(new URL('.', import.meta.url));
const there = join(resolve(values.against), 'bench');

/** Each checkout makes its own input: the files that an import leaves may differ. */
const makeInputs = () => {
  for (const bench of [here, there]) {
    const code = `const { makeInput } = await import(${JSON.stringify(join(bench, 'input.mjs'))}); await makeInput(${values.size});`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
    if (status !== 0) {
      throw new Error(`the input of ${bench}: ${stderr}`);
    }
  }
};

const describe = (ratios) => {
  const { low, median, high } = intervalOf(ratios);
  return `${median.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
};

makeInputs();
for (const operation of values.only.split(',')) {
  const wall = [];
  const cpu = [];
  const ours = [];
  const theirs = [];
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    // The order alternates, so that neither always runs after the other.
    const order = pair % 2 === 0 ? [there, here] : [here, there];
    const [first, second] = order.map((bench) => measureAlone(bench, operation, 'pdsdb', values.size, values.runs));
    const [our, their] = order[0] === here ? [first, second] : [second, first];
    wall.push(our.wall / their.wall);
    cpu.push(our.cpu / their.cpu);
    ours.push(our.wall);
    theirs.push(their.wall);
  }
  const median = (list) => medianOf(list).toFixed(1);
  console.log(
    `${operation} ${values.size}: this ${median(ours)} ms, other ${median(theirs)} ms; wall ${describe(wall)}, processor ${describe(cpu)}`,
  );
}
