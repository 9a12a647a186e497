/**
 * What a real runtime was asked to do to files, and what of it was never synced. The simulated disk stands for the
 * calls of the ports; this is for what lies below them, where a runtime's own calls are made.
 */

/** What may be lost with the power: the lock, and what has its last name yet to come. */
const MATTERS_NOT = /\/pds\.lock|\.tmp-/;
/** As with the simulated disk: behind a commit SQLite fills the sector, in the middle of which it syncs. */
const FILLING = { name: /-wal$/, below: 24 + 4096 };

export class SyncLog {
  /** Bytes of each file that were written since it was synced. */
  readonly #data = new Map<string, number>();
  /** Names that came, or went, since their folder was synced. */
  readonly #names = new Set<string>();
  /** How many syncs there were of files and of folders. */
  readonly counts = { files: 0, folders: 0 };

  wrote(path: string, bytes: number): void {
    this.#data.set(path, (this.#data.get(path) ?? 0) + bytes);
  }

  /** To nothing is none: what comes back of a log is in the database. */
  truncated(path: string, size: number): void {
    if (size === 0) {
      this.#data.delete(path);
    } else {
      this.wrote(path, Infinity);
    }
  }

  named(path: string): void {
    this.#names.add(path);
  }

  renamed(from: string, to: string): void {
    for (const [path, bytes] of [...this.#data]) {
      if (path === from || path.startsWith(`${from}/`)) {
        this.#data.delete(path);
        this.#data.set(to + path.slice(from.length), bytes);
      }
    }
    for (const path of [...this.#names]) {
      if (path.startsWith(`${from}/`)) {
        this.#names.delete(path);
        this.#names.add(to + path.slice(from.length));
      }
    }
    this.named(from);
    this.named(to);
  }

  removed(path: string): void {
    this.#data.delete(path);
    this.named(path);
  }

  /** A file or a folder. */
  synced(path: string, isFolder: boolean): void {
    this.counts[isFolder ? 'folders' : 'files'] += 1;
    this.#data.delete(path);
    for (const name of [...this.#names]) {
      if (isFolder && name.slice(0, name.lastIndexOf('/')) === path) {
        this.#names.delete(name);
      }
    }
  }

  /** What a power cut could take now, below a folder. */
  unsynced(root: string): string[] {
    const data = [...this.#data]
      .filter(([path, bytes]) => !(FILLING.name.test(path) && bytes < FILLING.below))
      .map(([path]) => `data of ${path}`);
    return [...data, ...[...this.#names].map((path) => `name of ${path}`)]
      .filter((what) => what.includes(root) && !MATTERS_NOT.test(what))
      .sort();
  }
}
