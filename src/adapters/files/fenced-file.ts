/**
 * A file of the database that is written only while the lock is ours. Who was stopped, and whose lock somebody has
 * removed meanwhile, does not go on with what it was about to write. Between the look and the write there is a gap
 * still, of some microseconds.
 */
import { RepoError } from '../../core/errors.ts';
import type { SyncFile } from '../../wasm/vfs/database-files.ts';
import type { Lock } from './lock.ts';

export class FencedFile implements SyncFile {
  readonly #file: SyncFile;
  readonly #lock: Pick<Lock, 'isHeld'>;

  constructor(file: SyncFile, lock: Pick<Lock, 'isHeld'>) {
    this.#file = file;
    this.#lock = lock;
  }

  read(buffer: Uint8Array, options: { at: number }): number {
    return this.#file.read(buffer, options);
  }

  write(buffer: Uint8Array, options: { at: number }): number {
    this.#assertHeld();
    return this.#file.write(buffer, options);
  }

  truncate(size: number): void {
    this.#assertHeld();
    this.#file.truncate(size);
  }

  getSize(): number {
    return this.#file.getSize();
  }

  flush(): void {
    this.#assertHeld();
    this.#file.flush();
  }

  #assertHeld(): void {
    if (!this.#lock.isHeld()) {
      throw new RepoError(
        'Locked',
        'the lock was taken away from this process, and nothing more is written: somebody else may have the repository open',
      );
    }
  }
}
