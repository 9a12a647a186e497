/** A disk in memory for lock files, on which processes can die. */
import type { Disk, DiskFile } from '../../../src/adapters/files/disk.ts';
import type { LockHolder, LockRecord } from '../../../src/adapters/files/lock-record.ts';

interface Inode {
  text: string;
  modifiedMs: number;
}

export class LockDisk {
  readonly #names = new Map<string, Inode>();
  readonly #dead = new Set<number>();
  #lastMs = 0;
  /** Tells the time of changes. */
  clock: () => number = Date.now;

  names(): string[] {
    return [...this.#names.keys()].sort();
  }

  text(name: string): string | undefined {
    return this.#names.get(name)?.text;
  }

  /** Adds a file that another process left some time ago. */
  leave(name: string, text: string, ageMs = 0): void {
    this.#names.set(name, { text, modifiedMs: this.clock() - ageMs });
  }

  kill(pid: number): void {
    this.#dead.add(pid);
  }

  #file(inode: Inode): DiskFile {
    const touch = (text: string): void => {
      inode.text = text;
      // Every change has another time, so that a test does not depend on the clock.
      inode.modifiedMs = this.#lastMs = Math.max(this.clock(), this.#lastMs + 1);
    };
    return {
      read: () => 0,
      write: (bytes) => {
        touch(new TextDecoder().decode(bytes) + inode.text.slice(bytes.length));
        return bytes.length;
      },
      truncate: (size) => touch(inode.text.slice(0, size)),
      getSize: () => inode.text.length,
      flush: () => {},
      close: () => {},
      hasName: () => [...this.#names.values()].includes(inode),
    };
  }

  /** The disk as one process sees it. */
  seenBy(pid: number): Disk {
    const noSuchFile = (name: string): Error => Object.assign(new Error(`ENOENT ${name}`), { code: 'ENOENT' });
    const notNeeded = (): never => {
      throw new Error('locks have no need of this');
    };
    const self: LockHolder = { pid, runtime: 'node' };
    return {
      resolve: (path) => path,
      realPath: () => undefined,
      join: (_, name) => name,
      entry: (name) => {
        const inode = this.#names.get(name);
        return inode && { kind: 'file', size: inode.text.length, modifiedMs: inode.modifiedMs };
      },
      isFolder: () => true,
      makeFolder: notNeeded,
      syncFolder: notNeeded,
      names: () => this.names(),
      open: notNeeded,
      openReading: notNeeded,
      createLocked: (name) => {
        if (this.#names.has(name)) {
          throw Object.assign(new Error(`EEXIST ${name}`), { code: 'EEXIST' });
        }
        const inode: Inode = { text: '', modifiedMs: this.clock() };
        this.#names.set(name, inode);
        return this.#file(inode);
      },
      readText: (name) => {
        const inode = this.#names.get(name);
        if (inode === undefined) {
          throw noSuchFile(name);
        }
        return inode.text;
      },
      rename: (from, to) => {
        const inode = this.#names.get(from);
        if (inode === undefined) {
          throw noSuchFile(from);
        }
        this.#names.delete(from);
        this.#names.set(to, inode);
      },
      remove: (name) => void this.#names.delete(name),
      self: () => self,
      livenessOf: (holder: LockRecord) => (this.#dead.has(holder.pid) ? 'gone' : 'alive'),
    };
  }
}
