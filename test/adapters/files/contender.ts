/**
 * A process that contends for a lock, one call to the disk at a time, so that a test decides the order.
 *
 * The code under test is synchronous and cannot be stopped. It depends only on the results of the disk, the
 * clock and its random bytes, though: a step runs it again from the beginning, on the results that it had before and
 * one more, and ends it at the call after that by throwing.
 */
import type { Disk, DiskFile } from '../../../src/adapters/files/disk.ts';
import { tryLock } from '../../../src/adapters/files/lock.ts';
import type { LockDisk } from './lock-disk.ts';

type Result = { readonly value: unknown } | { readonly error: unknown };

const PAUSE = new Error('paused');

export class Contender {
  readonly pid: number;
  readonly #disk: Disk;
  readonly #releases: boolean;
  readonly #results: Result[] = [];
  readonly #clock: () => number;
  #next = 0;
  #isGranted = false;
  #owns = false;
  #hasEnded = false;

  constructor(disk: LockDisk, pid: number, releases: boolean, clock: () => number) {
    this.pid = pid;
    this.#disk = disk.seenBy(pid);
    this.#releases = releases;
    this.#clock = clock;
  }

  /** Whether it has the lock, and has not begun to release it. */
  get owns(): boolean {
    return this.#owns;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Makes one more step. */
  step(): void {
    this.#next = 0;
    this.#isGranted = true;
    this.#owns = false;
    let bytes = 0;
    const { now } = Date;
    const getRandomValues = crypto.getRandomValues;
    // Assigned and not mocked, because this runs about a hundred thousand times.
    Date.now = () => this.#ask(this.#clock);
    crypto.getRandomValues = (array) => {
      // The same bytes in each run, and different from those of other processes.
      const values = array as unknown as Uint8Array;
      values.fill(this.pid);
      values[0] = bytes++;
      return array;
    };
    try {
      this.#run();
      this.#hasEnded = true;
    } catch (error) {
      // What is thrown for a pause may come out wrapped.
      if (this.#isGranted) {
        throw error;
      }
    } finally {
      Date.now = now;
      crypto.getRandomValues = getRandomValues;
    }
  }

  #run(): void {
    const result = tryLock(this.#recorded(), 'repo');
    if ('release' in result) {
      this.#owns = true;
      this.#ask(() => undefined);
      if (this.#releases) {
        this.#owns = false;
        result.release();
      }
    }
  }

  /** The result of this turn: an old one, or, once a step, a new one. */
  #ask<T>(call: () => T): T {
    const old = this.#results[this.#next];
    if (old === undefined) {
      if (!this.#isGranted) {
        throw PAUSE;
      }
      this.#isGranted = false;
      try {
        this.#results.push({ value: call() });
      } catch (error) {
        this.#results.push({ error });
      }
    }
    const result = this.#results[this.#next++]!;
    if ('error' in result) {
      throw result.error;
    }
    return result.value as T;
  }

  #recorded(): Disk {
    const disk = this.#disk;
    return {
      ...disk,
      entry: (path) => this.#ask(() => disk.entry(path)),
      names: (folder) => this.#ask(() => disk.names(folder)),
      createLocked: (path) => this.#recordedFile(this.#ask(() => disk.createLocked(path))),
      readText: (path) => this.#ask(() => disk.readText(path)),
      rename: (from, to) => this.#ask(() => disk.rename(from, to)),
      remove: (path) => this.#ask(() => disk.remove(path)),
      livenessOf: (holder, path) => this.#ask(() => disk.livenessOf(holder, path)),
    };
  }

  #recordedFile(file: DiskFile): DiskFile {
    return {
      ...file,
      write: (bytes, options) => this.#ask(() => file.write(bytes, options)),
      truncate: (size) => this.#ask(() => file.truncate(size)),
      // A pause runs the code that handles errors, which closes files.
      close: () => this.#ask(() => file.close()),
      hasName: () => this.#ask(() => file.hasName()),
      ...(file.entry === undefined ? {} : { entry: () => this.#ask(() => file.entry?.()) }),
    };
  }
}
