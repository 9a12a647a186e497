// Measures the contenders of an operation in turn: each has a process, and each round has a run of each contender.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measureAlone, NODE_OPTIONS } from './alone.mjs';
import { medianOf } from './interval.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
/** Up to this size, the first run is the median of several processes. */
const MOST_COLD = 10_000;
const COLD = 5;
/** A contender that has run for this time in milliseconds, in at least so many rounds, leaves them. */
const ENOUGH = 15_000;
const LEAST_ROUNDS = 5;

/** Starts the process of a contender. Its first message is the first run. */
const start = (operation, name, size) => {
  const child = fork(join(here, 'one.mjs'), [operation, name, String(size), '0'], { execArgv: NODE_OPTIONS });
  const reply = async () => {
    const ended = new AbortController();
    const { signal } = ended;
    try {
      return await Promise.race([
        once(child, 'message', { signal }).then(([message]) => message),
        once(child, 'exit', { signal }).then(([code]) => {
          throw new Error(`${operation}, ${name}, ${size} records: its process ended with ${code}`);
        }),
      ]);
    } finally {
      ended.abort();
    }
  };
  return {
    reply,
    run: (message) => {
      child.send(message);
      return reply();
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit');
        child.disconnect();
        await exit;
      }
    },
  };
};

/**
 * Returns for each contender the median of its first runs in new processes, its later runs (`runs[i]` of all contenders
 * are of the same round), and the growth of its memory in MiB. A contender that fails has an `error` instead.
 */
export const measureInTurn = async (operation, names, size, rounds) => {
  const entries = [];
  try {
    for (const name of names) {
      const entry = { name, runs: [], used: 0 };
      entries.push(entry);
      try {
        entry.child = start(operation, name, size);
        const { first, growth } = await entry.child.reply();
        const firsts = [first];
        while (size <= MOST_COLD && rounds > 0 && firsts.length < COLD) {
          firsts.push(measureAlone(here, operation, name, size, 0).first);
        }
        const median = (field) => medianOf(firsts.map((run) => run[field]));
        Object.assign(entry, { first: { wall: median('wall'), cpu: median('cpu') }, growth });
        if (rounds > 0) {
          await entry.child.run('warm up');
        }
      } catch (error) {
        entry.error = error;
      }
    }
    for (let round = 0; round < rounds; round++) {
      // The order changes from round to round, so that no contender always runs after the same one.
      for (const entry of entries.map((_, i) => entries[(i + round) % entries.length])) {
        if (entry.error !== undefined || (entry.used > ENOUGH && entry.runs.length >= LEAST_ROUNDS)) {
          continue;
        }
        try {
          const before = performance.now();
          const { wall, cpu, growth } = await entry.child.run('run');
          entry.runs.push({ wall, cpu });
          Object.assign(entry, { used: entry.used + performance.now() - before, growth });
        } catch (error) {
          entry.error = error;
        }
      }
    }
  } finally {
    await Promise.all(entries.map(({ child }) => child?.stop()));
  }
  return entries.map(({ child: _child, used: _used, ...measured }) => measured);
};
