/**
 * A disk in memory with a log of all calls. A hook decides about each call. The call can fail, or do nothing, as if the
 * code lacked a flush.
 */
import type { DiskFile } from '../../src/adapters/files/disk.ts';
import type { DiskNode } from './disk-image.ts';
import { DiskImage, splitPath } from './disk-image.ts';
import type { LogEntry, NameChange } from './disk-log.ts';
import { FileContent } from './file-content.ts';

/** One call, before it runs. */
export interface DiskCall {
  readonly verb:
    | 'close'
    | 'create'
    | 'entry'
    | 'flush'
    | 'getSize'
    | 'hasName'
    | 'makeFolder'
    | 'names'
    | 'open'
    | 'read'
    | 'remove'
    | 'rename'
    | 'removeFolder'
    | 'syncFolder'
    | 'truncate'
    | 'write';
  /** The path of the file or the folder. For a rename, the new path. */
  readonly path: string;
  /** The port that makes the call: the files of the database and their lock, or the blobs. */
  readonly port: 'blobs' | 'files';
}

/** The outcome of a call. `undefined` runs it. With a number, a write accepts only that number of bytes. */
export type Interference =
  | { readonly throws: unknown; readonly after?: 'half' }
  | { readonly takes: number }
  | 'does nothing'
  | undefined;

/** A time before all locks, so that old files are never mistaken for current ones. */
const YEARS_AGO_MS = 1_500_000_000_000;

/** Each process on each disk has its own number, so that a lock on a disk after a power cut has no owner. */
let processes = 0;

export class SimulatedDisk {
  readonly image: DiskImage;
  readonly log: LogEntry[] = [];
  /** Decides about every call. */
  interfere: (call: DiskCall) => Interference = () => undefined;
  /** The current process. Calls of all others fail. */
  #process: number = ++processes;
  #clock = 0;
  readonly #changedMs = new Map<number, number>();
  readonly #openFiles = new Set<OpenFile>();

  constructor(image: DiskImage = new DiskImage()) {
    this.image = image;
  }

  /** The number of files that the current process has open. */
  get openCount(): number {
    return [...this.#openFiles].filter((file) => file.process === this.#process).length;
  }

  /** Ends the current process. Its later calls fail, and its writes stay. */
  kill(): void {
    this.#process = ++processes;
  }

  mark(kind: 'start' | 'ack', step: number): void {
    this.log.push({ kind, step });
  }

  /** The number of the current process. */
  get process(): number {
    return this.#process;
  }

  // The rest is for the ports.

  /** Runs the hook for a call. Throws if the call must fail. */
  ask(process: number, call: DiskCall): Interference {
    if (process !== this.#process) {
      throw systemError('EIO', 'the process has been killed');
    }
    const interference = this.interfere(call);
    if (typeof interference === 'object' && 'throws' in interference && interference.after === undefined) {
      throw interference.throws;
    }
    return interference;
  }

  require(path: string, kind: DiskNode['kind']): DiskNode {
    const node = this.image.find(path);
    if (node === undefined) {
      throw systemError('ENOENT', path);
    }
    if (node.kind !== kind) {
      throw systemError(kind === 'folder' ? 'ENOTDIR' : 'EISDIR', path);
    }
    return node;
  }

  make(kind: DiskNode['kind'], path: string): DiskNode {
    const node: DiskNode = { kind, id: this.image.nextId++ };
    this.record({ kind: 'make', node });
    this.changeNames([[path, node]]);
    this.#changedMs.set(node.id, this.#now());
    return node;
  }

  changeNames(changes: readonly (readonly [path: string, node: DiskNode | undefined])[]): void {
    this.record({
      kind: 'names',
      changes: changes.map(([path, node]): NameChange => {
        const [folder, name] = splitPath(path);
        return { folder: this.require(folder, 'folder').id, name, node };
      }),
    });
  }

  changedMs(id: number): number {
    return this.#changedMs.get(id) ?? YEARS_AGO_MS;
  }

  open(process: number, node: DiskNode, call: Pick<DiskCall, 'path' | 'port'>): OpenFile {
    const file = new OpenFile(this, process, node.id, call);
    this.#openFiles.add(file);
    return file;
  }

  closed(file: OpenFile): void {
    this.#openFiles.delete(file);
  }

  /** Applies an entry and appends it to the log. */
  record(entry: LogEntry): void {
    this.log.push(entry);
    applyToImage(this.image, entry);
    if (entry.kind === 'write' || entry.kind === 'truncate') {
      this.#changedMs.set(entry.file, this.#now());
    }
  }

  #now(): number {
    return YEARS_AGO_MS + ++this.#clock;
  }
}

const applyToImage = (image: DiskImage, entry: LogEntry): void => {
  switch (entry.kind) {
    case 'make':
      if (entry.node.kind === 'file') {
        image.files.set(entry.node.id, new FileContent());
      } else {
        image.folders.set(entry.node.id, new Map());
      }
      break;
    case 'write':
      image.files.get(entry.file)!.write(entry.bytes, entry.at);
      break;
    case 'truncate':
      image.files.get(entry.file)!.truncate(entry.size);
      break;
    case 'names':
      for (const { folder, name, node } of entry.changes) {
        const names = image.folders.get(folder)!;
        if (node === undefined) {
          names.delete(name);
        } else {
          names.set(name, node);
        }
      }
      break;
    default:
  }
};

export const systemError = (code: string, message: string): Error =>
  Object.assign(new Error(`${code}: ${message}`), { code });

/** An open file. It stays valid when its name changes. */
export class OpenFile implements DiskFile {
  readonly process: number;
  readonly #disk: SimulatedDisk;
  readonly #id: number;
  readonly #call: Pick<DiskCall, 'path' | 'port'>;
  #isOpen = true;

  constructor(disk: SimulatedDisk, process: number, id: number, call: Pick<DiskCall, 'path' | 'port'>) {
    this.process = process;
    this.#disk = disk;
    this.#id = id;
    this.#call = call;
  }

  read(buffer: Uint8Array, { at }: { at: number }): number {
    this.#ask('read');
    return this.#content.read(buffer, at);
  }

  write(buffer: Uint8Array, { at }: { at: number }): number {
    const interference = this.#ask('write');
    let taken = buffer.length;
    if (typeof interference === 'object') {
      taken = Math.floor(buffer.length * ('takes' in interference ? interference.takes : 0.5));
    }
    if (taken > 0) {
      this.#disk.record({ kind: 'write', file: this.#id, at, bytes: buffer.slice(0, taken) });
    }
    if (typeof interference === 'object' && 'throws' in interference) {
      throw interference.throws;
    }
    return taken;
  }

  truncate(size: number): void {
    this.#ask('truncate');
    this.#disk.record({ kind: 'truncate', file: this.#id, size });
  }

  getSize(): number {
    this.#ask('getSize');
    return this.#content.size;
  }

  flush(): void {
    if (this.#ask('flush') !== 'does nothing') {
      this.#disk.record({ kind: 'flush', file: this.#id });
    }
  }

  hasName(): boolean {
    this.#ask('hasName');
    return this.#disk.image.hasName(this.#id);
  }

  /** The descriptor is closed, even if `close` fails. */
  close(): void {
    if (this.#isOpen) {
      this.#isOpen = false;
      this.#disk.closed(this);
      this.#disk.ask(this.process, { verb: 'close', ...this.#call });
    }
  }

  get #content(): FileContent {
    return this.#disk.image.files.get(this.#id)!;
  }

  #ask(verb: DiskCall['verb']): Interference {
    if (!this.#isOpen) {
      throw systemError('EBADF', this.#call.path);
    }
    return this.#disk.ask(this.process, { verb, ...this.#call });
  }
}
