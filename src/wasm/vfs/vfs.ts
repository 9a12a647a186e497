/**
 * SQLite's VFS (file layer) over {@link SyncFile}s. https://sqlite.org/c3ref/vfs.html
 *
 * sql.js has SQLite's `unix` VFS over a file system in memory. A VFS is a C structure with a public layout. We replace
 * four of its functions, so that SQLite reads and writes real files page by page.
 */
import { JOURNAL_SUFFIX, PAGE_SIZE, WAL_SUFFIX } from '../../core/storage/layout.ts';
import { RepoError } from '../../core/errors.ts';
import type { Pointer } from '../c-api/c-api.ts';
import type { CFunction } from '../c-api/c-functions.ts';
import { addFunctions } from '../c-api/c-functions.ts';
import type { DatabaseFiles, SyncFile } from './database-files.ts';
import { BufferedFile } from './buffered-file.ts';
import type { Heap } from '../c-api/heap.ts';
import { findVfs } from './find-vfs.ts';
import { showAsWal } from './header.ts';
import { writeMain } from './main-writes.ts';
import { Mount } from './mount.ts';
import {
  SQLITE_CANTOPEN,
  SQLITE_IOERR_ACCESS,
  SQLITE_IOERR_CLOSE,
  SQLITE_IOERR_DELETE,
  SQLITE_IOERR_FSTAT,
  SQLITE_IOERR_FSYNC,
  SQLITE_IOERR_READ,
  SQLITE_IOERR_SHORT_READ,
  SQLITE_IOERR_TRUNCATE,
  SQLITE_IOERR_WRITE,
  SQLITE_NOTFOUND,
  SQLITE_OK,
} from '../c-api/result-codes.ts';
import { isCount, writeAll } from './write-all.ts';

/** Offsets in `sqlite3_vfs` on a machine with 32-bit pointers. */
const AT_OPEN = 24;
const AT_DELETE = 28;
const AT_ACCESS = 32;
const AT_FULL_PATHNAME = 36;
/** Prefix of our file names. Other names belong to a program that also uses sql.js. */
const PREFIX = 'pdsdb-';

/** `sqlite3_file` starts with a pointer to its methods. Our id of the open file follows. */
const AT_METHODS = 0;
const AT_FILE = 4;
const METHODS_VERSION = 1;

/** Only SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN: a wrong SAFE_APPEND corrupted databases in simulation. */
const DEVICE_CHARACTERISTICS = 0x800;
/** One sector is one page. */
const SECTOR_SIZE = PAGE_SIZE;

/** SQLITE_FCNTL_COMMIT_PHASETWO: a transaction was committed, through the WAL or a journal. */
const COMMITTED = 22;

/** The kinds of files, with SQLite's flag for opening each, and the suffix of its name. */
const SLOTS = [
  { slot: 'main', flag: 0x100, suffix: '' },
  { slot: 'journal', flag: 0x800, suffix: JOURNAL_SUFFIX },
  { slot: 'wal', flag: 0x80000, suffix: WAL_SUFFIX },
] as const;

interface Named {
  readonly mount: Mount;
  readonly file: SyncFile;
  /** The same file, if writes are buffered. */
  readonly buffered: BufferedFile | undefined;
  readonly slot: (typeof SLOTS)[number]['slot'];
  readonly flag: number;
}

/** A function of the VFS, and its offset there. */
interface Diverted extends CFunction {
  readonly at: number;
}

const readFailed = (reason: string): RepoError =>
  new RepoError('StorageFailed', `reading a file failed, check the disk: ${reason}`);

export class Vfs {
  readonly #heap: Heap;
  /** The C structure of functions for our open files. */
  readonly #methods: Pointer;
  /** Files by name. */
  readonly #named = new Map<string, Named>();
  readonly #open = new Map<number, Named>();
  #mounts = 0;
  #opened = 0;

  /**
   * Replaces functions of the default VFS.
   * @throws {RepoError} `StorageFailed` when the default VFS is not found exactly once.
   */
  constructor(heap: Heap, table: WebAssembly.Table) {
    this.#heap = heap;
    const vfs = findVfs(heap);
    const methods = this.#fileMethods();
    const diverted = this.#diverted((at) => table.get(heap.word(vfs + at)) as CFunction['run']);
    const pointers = addFunctions(table, [...methods, ...diverted]);
    this.#methods = heap.allocate(4 * (1 + methods.length));
    heap.setWord(this.#methods, METHODS_VERSION);
    methods.forEach((_, i) => heap.setWord(this.#methods + 4 * (1 + i), pointers[i]!));
    diverted.forEach(({ at }, i) => heap.setWord(vfs + at, pointers[methods.length + i]!));
  }

  /** Binds three files to a name that SQLite may open. */
  mount(files: DatabaseFiles): Mount {
    const mount = new Mount(`${PREFIX}${++this.#mounts}`, files);
    for (const { slot, flag, suffix } of SLOTS) {
      const file = mount[slot];
      this.#named.set(mount.name + suffix, {
        mount,
        file,
        buffered: file instanceof BufferedFile ? file : undefined,
        slot,
        flag,
      });
    }
    return mount;
  }

  unmount(mount: Mount): void {
    for (const { suffix } of SLOTS) {
      this.#named.delete(mount.name + suffix);
    }
    for (const [id, named] of this.#open) {
      if (named.mount === mount) {
        this.#open.delete(id);
      }
    }
  }

  /** @param functionAt Returns the function at an offset of the VFS. */
  #diverted(functionAt: (at: number) => CFunction['run']): readonly Diverted[] {
    const heap = this.#heap;
    /** Replaces the function at offset `at` of the VFS: ours for our names, the old one for others. */
    const divert = (
      at: number,
      signature: string,
      failed: number,
      run: (name: string, ...args: any[]) => number,
    ): Diverted => {
      const theirs = functionAt(at);
      const either: CFunction['run'] = (self: Pointer, nameAt: Pointer, ...rest) => {
        const name = nameAt === 0 ? '' : heap.cText(nameAt);
        if (!name.startsWith(PREFIX)) {
          return theirs(self, nameAt, ...rest);
        }
        const named = this.#named.get(name);
        try {
          return named?.mount.fatal === undefined ? run(name, ...rest) : failed;
        } catch (error) {
          return named?.mount.fail(failed, error) ?? failed;
        }
      };
      return { at, signature, run: either };
    };

    const open = divert(AT_OPEN, 'iiiiii', SQLITE_CANTOPEN, (name, file: Pointer, flags: number, outFlags: Pointer) => {
      heap.setWord(file + AT_METHODS, 0);
      const named = this.#named.get(name);
      if (named === undefined || (flags & named.flag) === 0) {
        return SQLITE_CANTOPEN;
      }
      const id = ++this.#opened;
      this.#open.set(id, named);
      heap.setWord(file + AT_FILE, id);
      heap.setWord(file + AT_METHODS, this.#methods);
      if (outFlags !== 0) {
        heap.setWord(outFlags, flags);
      }
      return SQLITE_OK;
    });

    const remove = divert(AT_DELETE, 'iiii', SQLITE_IOERR_DELETE, (name) => {
      const named = this.#named.get(name);
      if (named === undefined || named.slot === 'main') {
        return SQLITE_IOERR_DELETE;
      }
      // The file stays, because a new file is durable only after a sync of its folder. `xAccess` hides it.
      if (named.file.getSize() > 0) {
        named.file.truncate(0);
        return this.#flush(named);
      }
      return SQLITE_OK;
    });

    const access = divert(AT_ACCESS, 'iiiii', SQLITE_IOERR_ACCESS, (name, _flags: number, out: Pointer) => {
      const named = this.#named.get(name);
      heap.setWord(out, named !== undefined && (named.slot === 'main' || named.file.getSize() > 0) ? 1 : 0);
      return SQLITE_OK;
    });

    const fullPathname = divert(AT_FULL_PATHNAME, 'iiiii', SQLITE_CANTOPEN, (name, room: number, out: Pointer) => {
      if (heap.roomFor(name) >= room) {
        return SQLITE_CANTOPEN;
      }
      heap.bytes[out + heap.setText(out, name)] = 0;
      return SQLITE_OK;
    });
    return [open, remove, access, fullPathname];
  }

  /** The functions for our open files, in the order of their C structure. */
  #fileMethods(): readonly CFunction[] {
    const heap = this.#heap;
    /** Catches exceptions, because C cannot. Records them as the cause of the error for the code. */
    const method = (signature: string, failed: number, run: (open: Named, ...args: any[]) => number): CFunction => {
      const guarded: CFunction['run'] = (file: Pointer, ...args) => {
        const open = this.#open.get(heap.word(file + AT_FILE));
        if (open === undefined || open.mount.fatal !== undefined) {
          return failed;
        }
        try {
          return run(open, ...args);
        } catch (error) {
          return open.mount.fail(failed, error);
        }
      };
      return { signature, run: guarded };
    };
    const noLock = method('iii', SQLITE_OK, () => SQLITE_OK);

    return [
      // xClose. It must work after a fatal failure too.
      {
        signature: 'ii',
        run: (file: Pointer) => (this.#open.delete(heap.word(file + AT_FILE)) ? SQLITE_OK : SQLITE_IOERR_CLOSE),
      },
      method('iiiij', SQLITE_IOERR_READ, this.#read),
      method('iiiij', SQLITE_IOERR_WRITE, this.#write),
      method('iij', SQLITE_IOERR_TRUNCATE, (open, size: bigint) => {
        open.file.truncate(Number(size));
        return SQLITE_OK;
      }),
      method('iii', SQLITE_IOERR_FSYNC, this.#flush),
      method('iii', SQLITE_IOERR_FSTAT, (open, out: Pointer) => {
        heap.setLong(out, open.file.getSize());
        return SQLITE_OK;
      }),
      // xLock and xUnlock: the files are already locked.
      noLock,
      noLock,
      // xCheckReservedLock: no other connection exists.
      method('iii', SQLITE_OK, (_open, out: Pointer) => {
        heap.setWord(out, 0);
        return SQLITE_OK;
      }),
      // xFileControl: all are unsupported; one is observed.
      method('iiii', SQLITE_NOTFOUND, (open, operation: number) =>
        operation === COMMITTED ? this.#afterCommit(open) : SQLITE_NOTFOUND,
      ),
      { signature: 'ii', run: () => SECTOR_SIZE },
      { signature: 'ii', run: () => DEVICE_CHARACTERISTICS },
    ];
  }

  readonly #read = (open: Named, target: Pointer, length: number, offset: bigint): number => {
    const at = Number(offset);
    const buffer = this.#heap.view(target, length);
    let done = 0;
    while (done < length) {
      const count = open.file.read(done === 0 ? buffer : buffer.subarray(done), { at: at + done });
      if (!isCount(count, length - done)) {
        throw readFailed(`the platform returned an invalid count; count=${count}`);
      }
      if (count === 0) {
        break;
      }
      done += count;
    }
    if (done === length) {
      if (open.slot === 'main' && open.mount.showsWal) {
        showAsWal(buffer, at);
      }
      return SQLITE_OK;
    }
    // SQLite would take zeros for existing bytes as content.
    if (at + done < open.file.getSize()) {
      throw readFailed(`it stopped before the end of the file; at=${at + done}`);
    }
    // SQLite requires zeros after a short read: without them "failure will eventually lead to database corruption".
    buffer.fill(0, done);
    return SQLITE_IOERR_SHORT_READ;
  };

  readonly #write = (open: Named, source: Pointer, length: number, offset: bigint): number => {
    const buffer = this.#heap.view(source, length);
    if (open.slot === 'main') {
      writeMain(open.mount, buffer, Number(offset));
    } else {
      writeAll(open.file, buffer, Number(offset));
    }
    return SQLITE_OK;
  };

  readonly #flush = (open: Named): number => {
    // Buffered writes may fail like any write. Only a failed flush is permanent.
    try {
      open.buffered?.writeOut();
    } catch (error) {
      return open.mount.fail(SQLITE_IOERR_WRITE, error);
    }
    try {
      open.file.flush();
      return SQLITE_OK;
    } catch (error) {
      return open.mount.failForGood(SQLITE_IOERR_FSYNC, error);
    }
  };

  /**
   * Writes the buffered rest of a commit. SQLite pads the sector after the last frame with copies of it and reads them
   * later. If they stayed buffered, rolling back the next transaction would drop them.
   */
  #afterCommit({ mount }: Named): number {
    try {
      mount.writeOut();
    } catch (error) {
      // The commit is durable, but this connection cannot continue without the rest.
      mount.failForGood(SQLITE_IOERR_WRITE, error);
    }
    return SQLITE_NOTFOUND;
  }
}
