/**
 * The library's ports over a simulated disk, for the current process: the files of the database and the folder of
 * blobs.
 */
import type { BlobFolder, BlobWriter } from '../../src/adapters/blobs/blob-folder.ts';
import type { Disk, DiskEntry, DiskFile } from '../../src/adapters/files/disk.ts';
import type { ParentFolder } from '../../src/adapters/folders/place.ts';
import type { LockHolder } from '../../src/adapters/files/lock-record.ts';
import type { DiskNode } from './disk-image.ts';
import { splitPath } from './disk-image.ts';
import { SimulatedBlob } from './simulated-blob.ts';
import type { DiskCall, Interference, SimulatedDisk } from './simulated-disk.ts';
import { systemError } from './simulated-disk.ts';

const ports = new WeakMap<SimulatedDisk, DiskPort>();

/** Takes paths from the root of the disk. One object per process, as on a real disk. */
export const diskPort = (disk: SimulatedDisk): Disk => {
  let port = ports.get(disk);
  if (port?.process !== disk.process) {
    port = new DiskPort(disk);
    ports.set(disk, port);
  }
  return port;
};

/** Takes paths within a folder. */
export const blobFolderPort = (disk: SimulatedDisk, folder: string): BlobFolder => new FolderPort(disk, folder);

/** Takes paths from the parent folder, for whole folders. */
export const parentFolderPort = (disk: SimulatedDisk, folder: string): ParentFolder => new FolderPort(disk, folder);

class DiskPort implements Disk {
  readonly process: number;
  readonly #disk: SimulatedDisk;

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
    this.process = disk.process;
  }

  resolve(path: string): string {
    return path;
  }

  /** The simulated disk does not copy folders, so a lock is never in a copied folder. */
  realPath(): undefined {
    return undefined;
  }

  join(folder: string, name: string): string {
    return `${folder}/${name}`;
  }

  entry(path: string): DiskEntry | undefined {
    this.#ask('entry', path);
    const node = this.#disk.image.find(path);
    if (node === undefined) {
      return undefined;
    }
    const size = node.kind === 'file' ? this.#disk.image.files.get(node.id)!.size : 0;
    return { kind: node.kind, size, modifiedMs: this.#disk.changedMs(node.id) };
  }

  isFolder(path: string): boolean {
    this.#ask('entry', path);
    return this.#disk.image.find(path)?.kind === 'folder';
  }

  /** Syncs, as the port promises. The simulation does not show how a platform does it. */
  makeFolder(path: string): void {
    this.#ask('makeFolder', path);
    if (this.#disk.image.find(path) === undefined) {
      this.#disk.make('folder', path);
      this.#disk.record({ kind: 'syncFolder', folder: this.#disk.require(splitPath(path)[0], 'folder').id });
    }
  }

  syncFolder(path: string): void {
    if (this.#ask('syncFolder', path) !== 'does nothing') {
      this.#disk.record({ kind: 'syncFolder', folder: this.#disk.require(path, 'folder').id });
    }
  }

  names(folder: string): string[] {
    this.#ask('names', folder);
    return [...this.#disk.image.folders.get(this.#disk.require(folder, 'folder').id)!.keys()];
  }

  open(path: string): DiskFile {
    this.#ask('open', path);
    return this.#file(this.#disk.image.find(path) ?? this.#disk.make('file', path), path);
  }

  openReading(path: string): DiskFile {
    this.#ask('open', path);
    return this.#file(this.#disk.require(path, 'file'), path);
  }

  createLocked(path: string): DiskFile {
    this.#ask('create', path);
    if (this.#disk.image.find(path) !== undefined) {
      throw systemError('EEXIST', path);
    }
    return this.#file(this.#disk.make('file', path), path);
  }

  readText(path: string): string {
    this.#ask('read', path);
    this.#disk.require(path, 'file');
    return new TextDecoder().decode(this.#disk.image.read(path));
  }

  rename(from: string, to: string): void {
    this.#ask('rename', to);
    this.#disk.changeNames([
      [to, this.#disk.require(from, 'file')],
      [from, undefined],
    ]);
  }

  remove(path: string): void {
    this.#ask('remove', path);
    if (this.#disk.image.find(path) !== undefined) {
      this.#disk.changeNames([[path, undefined]]);
    }
  }

  self(): LockHolder {
    return { pid: this.process, runtime: 'node' };
  }

  livenessOf(holder: LockHolder): 'alive' | 'gone' {
    return holder.pid === this.#disk.process ? 'alive' : 'gone';
  }

  #file(node: DiskNode, path: string): DiskFile {
    return this.#disk.open(this.process, node, { path, port: 'files' });
  }

  #ask(verb: DiskCall['verb'], path: string): Interference {
    return this.#disk.ask(this.process, { verb, path, port: 'files' });
  }
}

class FolderPort implements ParentFolder {
  readonly #disk: SimulatedDisk;
  readonly #process: number;
  readonly #folder: string;

  constructor(disk: SimulatedDisk, folder: string) {
    this.#disk = disk;
    this.#process = disk.process;
    this.#folder = folder;
  }

  async entry(path: string): Promise<{ readonly kind: DiskNode['kind']; readonly size: number } | undefined> {
    const node = this.#disk.image.find(this.#ask('entry', path));
    return node && { kind: node.kind, size: node.kind === 'file' ? this.#disk.image.files.get(node.id)!.size : 0 };
  }

  async *names(path: string): AsyncGenerator<string> {
    const { id } = this.#disk.require(this.#ask('names', path), 'folder');
    yield* [...this.#disk.image.folders.get(id)!.keys()];
  }

  /** The name is durable after a sync of the parent folder. */
  async makeFolder(path: string): Promise<void> {
    const at = this.#ask('makeFolder', path);
    if (this.#disk.image.find(at) !== undefined) {
      throw systemError('EEXIST', at);
    }
    this.#disk.make('folder', at);
  }

  async syncFolder(path: string): Promise<void> {
    const at = this.#at(path);
    if (this.#disk.ask(this.#process, { verb: 'syncFolder', path: at, port: 'blobs' }) !== 'does nothing') {
      this.#disk.record({ kind: 'syncFolder', folder: this.#disk.require(at, 'folder').id });
    }
  }

  async create(path: string): Promise<BlobWriter> {
    const at = this.#ask('create', path);
    if (this.#disk.image.find(at) !== undefined) {
      throw systemError('EEXIST', at);
    }
    const file = this.#disk.open(this.#process, this.#disk.make('file', at), { path: at, port: 'blobs' });
    let size = 0;
    return {
      async write(bytes) {
        size += file.write(bytes, { at: size });
      },
      sync: async () => file.flush(),
      close: async () => file.close(),
    };
  }

  async *read(path: string): AsyncGenerator<Uint8Array> {
    yield this.#bytes(path);
  }

  async blob(path: string): Promise<Blob> {
    const at = this.#ask('entry', path);
    const { id } = this.#disk.require(at, 'file');
    return new SimulatedBlob(this.#disk.image.files.get(id)!.size, () => this.#bytes(path));
  }

  /** The disk does not simulate the times of files. */
  async touch(): Promise<void> {}

  async rename(from: string, to: string): Promise<void> {
    const at = this.#ask('rename', to);
    const node = this.#disk.image.find(this.#at(from));
    if (node === undefined) {
      throw systemError('ENOENT', this.#at(from));
    }
    this.#disk.changeNames([
      [at, node],
      [this.#at(from), undefined],
    ]);
  }

  async remove(path: string): Promise<void> {
    const at = this.#ask('remove', path);
    this.#disk.require(at, 'file');
    this.#disk.changeNames([[at, undefined]]);
  }

  async removeFolder(path: string): Promise<void> {
    const at = this.#ask('removeFolder', path);
    if (this.#disk.image.folders.get(this.#disk.require(at, 'folder').id)!.size > 0) {
      throw systemError('ENOTEMPTY', at);
    }
    this.#disk.changeNames([[at, undefined]]);
  }

  #at(path: string): string {
    return path === '.' ? this.#folder : `${this.#folder}/${path}`;
  }

  #ask(verb: DiskCall['verb'], path: string): string {
    const at = this.#at(path);
    this.#disk.ask(this.#process, { verb, path: at, port: 'blobs' });
    return at;
  }

  #bytes(path: string): Uint8Array<ArrayBuffer> {
    const at = this.#ask('read', path);
    this.#disk.require(at, 'file');
    return this.#disk.image.read(at)!;
  }
}
