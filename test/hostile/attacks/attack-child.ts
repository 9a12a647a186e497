/**
 * A process that prepares attacks or runs them, one after the other, and returns the end and the cost of each. Each
 * attack has the folder of its number. The process that started it sends messages.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allAttacks } from './all-attacks.ts';
import { makePosts, use } from './attack.ts';
import type { Reply, Request } from './run-attack.ts';

const scratch = process.argv[2]!;
const warm = join(scratch, 'warm');
const collect = (globalThis as unknown as { gc(): void }).gc;

/** Kilobytes of memory, by a name in the `status` of Linux. */
const kilobytes = (name: 'VmHWM' | 'VmRSS'): number =>
  Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))![1]);

const isLinux = process.platform === 'linux';

/** Collects garbage, and forgets the peak of the attack before. Returns the megabytes of the process. */
const reset = (): number => {
  collect();
  if (!isLinux) {
    return process.memoryUsage().rss / 2 ** 20;
  }
  writeFileSync('/proc/self/clear_refs', '5');
  return kilobytes('VmRSS') / 1024;
};

/** Megabytes: the peak since the reset; without Linux, the peak of the process. */
const peak = (): number => (isLinux ? kilobytes('VmHWM') : process.resourceUsage().maxRSS) / 1024;

const respond = async ({ what, number }: Request): Promise<Reply> => {
  if (what === 'warm') {
    // Compiles SQLite and the library, which is not the cost of an attack.
    await makePosts(warm);
    await use(warm);
    return { beforeMb: reset() };
  }
  const attack = allAttacks[number]!;
  const folder = join(scratch, String(number));
  if (what === 'make') {
    await attack.make(folder);
    return {};
  }
  const beforeMb = reset();
  const begin = process.cpuUsage();
  const end = await attack.run(folder);
  const { user, system } = process.cpuUsage(begin);
  const peakMb = peak();
  if (({} as Record<string, unknown>)['polluted'] !== undefined) {
    throw new Error('the attack has changed the prototype of all objects');
  }
  return { end, ms: Math.round((user + system) / 1000), beforeMb, peakMb: Math.round(peakMb), afterMb: reset() };
};

process.on('message', (request: Request) => {
  respond(request).then(
    (reply) => process.send!(reply),
    (error: unknown) =>
      process.send!({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
