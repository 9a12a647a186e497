import { RepoError } from '../../core/errors.ts';

/** The other end does not have the stream, function or tree that a call names: another one has taken its place. */
export class Gone extends RepoError {
  constructor() {
    super('StorageFailed', 'the tab that had the repository open went away while a stream was read: read it again');
  }
}
