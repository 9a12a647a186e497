/**
 * Records the file calls of a real runtime, and finds writes that were never synced. The simulated disk tests the
 * calls of the ports; this tests the calls of the runtime below them.
 */

/** Files that a power cut may lose: the lock, and temporary files. */
const MATTERS_NOT = /\/pds\.lock|\.tmp-/;
/** As with the simulated disk: after a commit SQLite fills the sector, and syncs within it. */
const FILLING = { name: /-wal$/, below: 24 + 4096 };

export class SyncLog {
  /** File -> bytes that were written since its last sync. */
  readonly #data = new Map<string, number>();
  /** Names that were created or removed since the last sync of their folder. */
  readonly #names = new Set<string>();
  /** The numbers of syncs of files and of folders. */
  readonly counts = { files: 0, folders: 0 };

  wrote(path: string, bytes: number): void {
    this.#data.set(path, (this.#data.get(path) ?? 0) + bytes);
  }

  /** A truncation to zero needs no sync: the frames of a WAL that reappears are in the database. */
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

  /** Returns the paths below a folder that a power cut could lose now. */
  unsynced(root: string): string[] {
    const data = [...this.#data]
      .filter(([path, bytes]) => !(FILLING.name.test(path) && bytes < FILLING.below))
      .map(([path]) => `data of ${path}`);
    return [...data, ...[...this.#names].map((path) => `name of ${path}`)]
      .filter((what) => what.includes(root) && !MATTERS_NOT.test(what))
      .sort();
  }
}
