/** Adds missing blobs from a folder or a tar archive. Files are identified by their hashes. */
import type { MissingBlob, Repo } from 'pdsdb';
import { CODEC_RAW, cidOf } from 'pdsdb';
import { element } from '../../../page/element.ts';
import { errorNote } from '../../../page/error-note.ts';
import { countOf } from '../../../page/quantities.ts';
import { NotATar, filesInTar } from '../import/read-tar.ts';

/** A blob is hashed in memory. The largest that servers take are videos of 100 MB. */
const MAX_BLOB_SIZE = 300_000_000;

export interface BulkResult {
  readonly added: number;
  readonly looked: number;
  /** The number of blobs that are still missing. */
  readonly missing: number;
}

/** `onProgress` is called with the number of checked files. */
export const addBlobs = async (
  repo: Repo,
  files: AsyncIterable<Blob> | Iterable<Blob>,
  onProgress: (looked: number) => void,
): Promise<BulkResult> => {
  const missing = new Map<string, MissingBlob>();
  for await (const blob of repo.missingBlobs()) {
    missing.set(blob.cid.toString(), blob);
  }
  // The old form of a blob ref has no size.
  const sizes = new Set([...missing.values()].map(({ size }) => size));
  let [added, looked] = [0, 0];
  for await (const file of files) {
    looked += 1;
    if (file.size <= MAX_BLOB_SIZE && (sizes.has(file.size) || sizes.has(-1))) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      const wanted = missing.get(cidOf(CODEC_RAW, bytes).toString());
      if (wanted !== undefined) {
        await repo.putBlob(bytes, { mimeType: wanted.mimeType });
        missing.delete(wanted.cid.toString());
        added += 1;
      }
    }
    onProgress(looked);
  }
  return { added, looked, missing: missing.size };
};

async function* contentsOfTar(archive: Blob): AsyncGenerator<Blob, void> {
  for await (const { content } of filesInTar(archive)) {
    yield content;
  }
}

const words = ({ added, looked, missing }: BulkResult): string => {
  const found = added === 0 ? 'None of them is a missing blob' : `${countOf(added, 'blob')} added`;
  const left =
    missing === 0 ? 'No blob is missing.' : `${countOf(missing, 'blob')} ${missing === 1 ? 'is' : 'are'} missing.`;
  return `${countOf(looked, 'file')} read. ${found}. ${left}`;
};

/** The part of the overview about missing blobs. `download` is the part for those of the host. */
export const bulkBlobs = (repo: Repo, download: HTMLElement): HTMLElement => {
  const outcome = element('div', { class: 'outcome' });
  let isBusy = false;
  const add = (files: AsyncIterable<Blob> | Iterable<Blob>): void => {
    if (isBusy) {
      return;
    }
    isBusy = true;
    const status = element('p', { class: 'quiet', role: 'status' }, 'Reading the files');
    outcome.replaceChildren(status);
    addBlobs(repo, files, (looked) => (status.textContent = `${countOf(looked, 'file')} read`))
      .then((result) => (status.textContent = words(result)))
      .catch((error: unknown) => {
        outcome.replaceChildren(
          error instanceof NotATar ? element('p', { role: 'alert' }, error.message) : errorNote(error),
        );
      })
      .finally(() => (isBusy = false));
  };
  const chooser = (label: string, attributes: Readonly<Record<string, boolean>>, isTar: boolean): HTMLElement => {
    const onchange = (event: Event): void => {
      const input = event.target as HTMLInputElement;
      const files = [...(input.files ?? [])];
      input.value = '';
      const [first] = files;
      if (first !== undefined) {
        add(isTar ? contentsOfTar(first) : files);
      }
    };
    return element(
      'label',
      { class: 'button file' },
      label,
      element('input', { type: 'file', onchange, ...attributes }),
    );
  };
  return element(
    'section',
    { class: 'bulk' },
    element('h2', {}, 'Pictures and films'),
    element(
      'p',
      { class: 'quiet' },
      'A CAR file has none. The account’s host has them. Files of your own are compared by their hashes, so their names do not matter.',
    ),
    download,
    element(
      'div',
      { class: 'actions' },
      chooser('Add blobs from a folder', { webkitdirectory: true }, false),
      chooser('Add blobs from a tar file', {}, true),
    ),
    outcome,
  );
};
