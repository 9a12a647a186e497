/** A disk in memory for lock files, on which processes can die. */
import type { Disk, DiskEntry, DiskFile } from '../../../src/adapters/files/disk.ts';
import type { LockHolder, LockRecord } from '../../../src/adapters/files/lock-record.ts';

interface Inode {
  /** The least number that no file with a name and no open file has, as file systems choose it. */
  readonly id: number;
  /** The process that has it open. */
  openIn?: number | undefined;
  text: string;
  modifiedMs: number;
}

export class LockDisk {
  readonly #names = new Map<string, Inode>();
  readonly #dead = new Set<number>();
  readonly #hasIds: boolean;
  /** Files without a name that are open. */
  readonly #unnamed = new Set<Inode>();
  #lastMs = 0;
  /** Tells the time of changes. */
  clock: () => number = Date.now;

  /** @param hasIds Whether processes see the ids of files, as in Node. */
  constructor({ hasIds = true }: { readonly hasIds?: boolean } = {}) {
    this.#hasIds = hasIds;
  }

  #inode(text: string, modifiedMs: number, openIn?: number): Inode {
    const used = new Set([...this.#names.values(), ...this.#unnamed].map(({ id }) => id));
    let id = 1;
    while (used.has(id)) {
      id += 1;
    }
    return { id, text, modifiedMs, openIn };
  }

  #unlink(name: string): void {
    const inode = this.#names.get(name);
    this.#names.delete(name);
    if (inode?.openIn !== undefined) {
      this.#unnamed.add(inode);
    }
  }

  #close(inode: Inode): void {
    inode.openIn = undefined;
    this.#unnamed.delete(inode);
  }

  #entry(inode: Inode): DiskEntry {
    const id = this.#hasIds ? String(inode.id) : undefined;
    return { kind: 'file', size: inode.text.length, modifiedMs: inode.modifiedMs, id };
  }

  names(): string[] {
    return [...this.#names.keys()].sort();
  }

  text(name: string): string | undefined {
    return this.#names.get(name)?.text;
  }

  /** Adds a file that another process left some time ago. */
  leave(name: string, text: string, ageMs = 0): void {
    this.#unlink(name);
    this.#names.set(name, this.#inode(text, this.clock() - ageMs));
  }

  kill(pid: number): void {
    this.#dead.add(pid);
    for (const inode of [...this.#names.values(), ...this.#unnamed]) {
      if (inode.openIn === pid) {
        this.#close(inode);
      }
    }
  }

  #file(inode: Inode): DiskFile {
    const touch = (text: string): void => {
      inode.text = text;
      // Every change has another time, so that a test does not depend on the clock.
      inode.modifiedMs = this.#lastMs = Math.max(this.clock(), this.#lastMs + 1);
    };
    const hasName = (): boolean => [...this.#names.values()].includes(inode);
    return {
      read: () => 0,
      write: (bytes) => {
        touch(new TextDecoder().decode(bytes) + inode.text.slice(bytes.length));
        return bytes.length;
      },
      truncate: (size) => touch(inode.text.slice(0, size)),
      getSize: () => inode.text.length,
      flush: () => {},
      close: () => this.#close(inode),
      hasName,
      ...(this.#hasIds ? { entry: () => (hasName() ? this.#entry(inode) : undefined) } : {}),
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
        return inode && this.#entry(inode);
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
        const inode = this.#inode('', this.clock(), pid);
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
        this.#unlink(to);
        this.#names.set(to, inode);
      },
      remove: (name) => this.#unlink(name),
      self: () => self,
      livenessOf: (holder: LockRecord) => (this.#dead.has(holder.pid) ? 'gone' : 'alive'),
    };
  }
}
