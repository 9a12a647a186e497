/**
 * The possible states of a disk after a power cut. The class follows a log entry by entry. At any moment, the synced
 * data stays, and any part of the unsynced data may be present.
 *
 * For the data of a file since its last sync, each sector of each write is present or absent. The file has the length
 * after any of those writes. Where it grew without data, it has zeros or old content of the disk. A disk that damages
 * neighbours leaves garbage in a sector that it was writing. For the names of a folder since its last sync, the first
 * few changes are present, or any of them.
 */
import { DiskImage, ROOT } from './disk-image.ts';
import type { Names } from './disk-image.ts';
import type { DataEntry, LogEntry, NameChange } from './disk-log.ts';
import { FileContent } from './file-content.ts';

/** The severity of a cut. */
export interface Cut {
  /** The surviving part of the unsynced data: nothing, everything, everything up to some torn write, or any sectors. */
  readonly data: 'all' | 'none' | 'some' | 'torn';
  readonly names: 'all' | 'none' | 'prefix' | 'subset';
  readonly sector: 512 | 4096;
  /** The content of a file where it grew without its data. */
  readonly growth: 'garbage' | 'zeros';
  /** Whether a sector that was being written may be garbage, including its synced bytes. */
  readonly damagesNeighbours: boolean;
}

interface FileState {
  synced: FileContent;
  readonly pending: DataEntry[];
}

interface FolderState {
  readonly synced: Names;
  /** The changes of one call in this folder. They survive together. */
  readonly pending: NameChange[][];
}

/** Garbage that differs from place to place. No page, frame or record begins with it. */
const garbage = (length: number, at: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => 0xa5 ^ ((at + i) * 31) ^ ((at + i) >> 8));

export class PowerCut {
  readonly #files = new Map<number, FileState>();
  readonly #folders = new Map<number, FolderState>();
  #nextId: number;

  /** The whole image is synced. */
  constructor(image: DiskImage) {
    image.files.forEach((content, id) => this.#files.set(id, { synced: content.copy(), pending: [] }));
    image.folders.forEach((names, id) => this.#folders.set(id, { synced: new Map(names), pending: [] }));
    this.#nextId = image.nextId;
  }

  /** Applies the next entry of the log. */
  follow(entry: LogEntry): void {
    switch (entry.kind) {
      case 'make':
        if (entry.node.kind === 'file') {
          this.#files.set(entry.node.id, { synced: new FileContent(), pending: [] });
        } else {
          this.#folders.set(entry.node.id, { synced: new Map(), pending: [] });
        }
        this.#nextId = entry.node.id + 1;
        break;
      case 'write':
      case 'truncate':
        this.#files.get(entry.file)!.pending.push(entry);
        break;
      case 'flush':
        sync(this.#files.get(entry.file)!);
        break;
      case 'names':
        for (const folder of new Set(entry.changes.map((change) => change.folder))) {
          this.#folders.get(folder)!.pending.push(entry.changes.filter((change) => change.folder === folder));
        }
        break;
      case 'syncFolder': {
        const { synced, pending } = this.#folders.get(entry.folder)!;
        pending.splice(0).forEach((changes) => applyNames(synced, changes));
        break;
      }
      default:
    }
  }

  /**
   * The paths whose names are not synced, including removed ones, and those whose data is not, with the number of
   * written bytes. Emptying a file counts as none, and truncating it as all.
   */
  unsynced(): Map<string, number> {
    const found = new Map<string, number>();
    const walk = (folder: number, path: string): void => {
      for (const { name } of this.#folders.get(folder)!.pending.flat()) {
        found.set(`${path}/${name}`, Infinity);
      }
      for (const [name, node] of this.#names(folder, 'all', () => 0)) {
        if (node.kind === 'folder') {
          walk(node.id, `${path}/${name}`);
        } else if (this.#files.get(node.id)!.pending.length > 0) {
          const { pending } = this.#files.get(node.id)!;
          const bytes = pending.reduce(
            (sum, entry) => sum + (entry.kind === 'write' ? entry.bytes.length : entry.size === 0 ? 0 : Infinity),
            0,
          );
          found.set(`${path}/${name}`, bytes + (found.get(`${path}/${name}`) ?? 0));
        }
      }
    };
    walk(ROOT.id, '');
    return found;
  }

  /** Returns a disk after this cut. Calls `note` with every choice, so that equal disks are recognized. */
  image(cut: Cut, random: () => number, note: (choice: number) => void = () => undefined): DiskImage {
    const image = new DiskImage();
    image.nextId = this.#nextId;
    const walk = (folder: number): void => {
      const names = this.#names(folder, cut.names, random);
      image.folders.set(folder, names);
      note(names.size);
      for (const { kind, id } of names.values()) {
        note(id);
        if (kind === 'folder') {
          walk(id);
        } else if (!image.files.has(id)) {
          image.files.set(id, this.#content(id, cut, random, note));
        }
      }
    };
    walk(ROOT.id);
    return image;
  }

  #names(folder: number, survival: Cut['names'], random: () => number): Names {
    const { synced, pending } = this.#folders.get(folder)!;
    const names = new Map(synced);
    const first =
      survival === 'prefix' ? Math.floor(random() * (pending.length + 1)) : survival === 'none' ? 0 : pending.length;
    for (const changes of pending.slice(0, first)) {
      if (survival !== 'subset' || random() < 0.5) {
        applyNames(names, changes);
      }
    }
    return names;
  }

  #content(id: number, cut: Cut, random: () => number, note: (choice: number) => void): FileContent {
    const { synced, pending } = this.#files.get(id)!;
    const content = synced.copy();
    if (pending.length === 0 || cut.data === 'none') {
      return content;
    }
    // The surviving share differs from cut to cut: nearly nothing and nearly everything are as likely as half.
    const share = random();
    const torn = cut.data === 'torn' ? Math.floor(random() * pending.length) : pending.length;
    for (const [i, entry] of pending.entries()) {
      if (i > torn) {
        break;
      }
      const survives = cut.data === 'all' || (cut.data === 'torn' && i < torn) ? () => true : () => random() < share;
      if (entry.kind === 'truncate') {
        const isThere = survives();
        note(isThere ? 1 : 0);
        if (isThere) {
          content.truncate(entry.size);
        }
      } else {
        writeSectors(content, entry, cut, survives, random, note);
      }
    }
    return content;
  }
}

/** The surviving sectors of a write. */
const writeSectors = (
  content: FileContent,
  { at, bytes }: { readonly at: number; readonly bytes: Uint8Array },
  { sector, growth, damagesNeighbours }: Cut,
  survives: () => boolean,
  random: () => number,
  note: (choice: number) => void,
): void => {
  const end = at + bytes.length;
  for (let from = at; from < end; ) {
    const to = Math.min(end, (Math.floor(from / sector) + 1) * sector);
    const isThere = survives();
    note(isThere ? 1 : 0);
    if (isThere) {
      if (growth === 'garbage' && content.size < from) {
        content.write(garbage(from - content.size, content.size), content.size);
      }
      content.write(bytes.subarray(from - at, to - at), from);
    } else if (damagesNeighbours && random() < 0.3) {
      note(2);
      const start = Math.floor(from / sector) * sector;
      content.write(garbage(Math.max(to, Math.min(start + sector, content.size)) - start, start), start);
    } else if (content.size < to && random() < 0.5) {
      note(3);
      // The length survived, and the data did not.
      const grown = content.size;
      content.truncate(to);
      if (growth === 'garbage') {
        const start = Math.max(from, grown);
        content.write(garbage(to - start, start), start);
      }
    }
    from = to;
  }
};

const sync = (file: FileState): void => {
  for (const entry of file.pending.splice(0)) {
    if (entry.kind === 'write') {
      file.synced.write(entry.bytes, entry.at);
    } else {
      file.synced.truncate(entry.size);
    }
  }
};

const applyNames = (names: Names, changes: readonly NameChange[]): void => {
  for (const { name, node } of changes) {
    if (node === undefined) {
      names.delete(name);
    } else {
      names.set(name, node);
    }
  }
};
