/** The blobs of a record: shows pictures and videos, offers other blobs for saving, and lists missing ones. */
import type { BlobMention, FoundRecord, Repo } from 'pdsdb';
import { CODEC_RAW, blobMentions, cidOf } from 'pdsdb';
import { button, element } from '../../../page/element.ts';
import { networkNote } from '../../../page/network-words.ts';
import { isAbort } from '../../../page/plain-words.ts';
import { countOf, formatBytes } from '../../../page/quantities.ts';
import { tell } from '../../../page/toast.ts';
import type { BlobHost } from './blob-host.ts';
import { shortCid } from '../record/json-view.ts';

const sizeOf = (mention: BlobMention): string =>
  mention.size < 0 ? mention.mimeType : `${mention.mimeType}, ${formatBytes(mention.size)}`;

/** The element for a type. The record claims the type, but an `img` never runs scripts. */
const shown = (mention: BlobMention, blob: Blob, urls: string[]): HTMLElement => {
  const url = URL.createObjectURL(blob.slice(0, blob.size, mention.mimeType));
  urls.push(url);
  const caption = element(
    'figcaption',
    {},
    element('a', { href: url, download: mention.cid.toString() }, 'Save'),
    ` ${sizeOf(mention)}`,
  );
  if (mention.mimeType.startsWith('image/')) {
    return element(
      'figure',
      {},
      element('img', { src: url, alt: `Blob ${mention.cid.toString()}`, decoding: 'async' }),
      caption,
    );
  }
  if (mention.mimeType.startsWith('video/')) {
    return element('figure', {}, element('video', { src: url, controls: true, preload: 'metadata' }), caption);
  }
  return element('figure', {}, element('div', { class: 'blank' }, 'No preview'), caption);
};

const missing = (mention: BlobMention, words: string): HTMLElement =>
  element(
    'figure',
    {},
    element('div', { class: 'blank' }, words),
    element('figcaption', { title: mention.cid.toString() }, `${shortCid(mention.cid.toString())}, ${sizeOf(mention)}`),
  );

export interface BlobView {
  readonly element: HTMLElement;
  /** Frees the memory of the pictures, and ends the download. */
  close(): void;
}

/** Stores the files that are missing blobs, by their hashes, and returns their number. */
const addFiles = async (repo: Repo, absent: readonly BlobMention[], files: Iterable<File>): Promise<number> => {
  let added = 0;
  for (const file of files) {
    const cid = cidOf(CODEC_RAW, new Uint8Array(await file.arrayBuffer()));
    const mention = absent.find((wanted) => wanted.cid.equals(cid));
    if (mention !== undefined) {
      await repo.putBlob(file, { mimeType: mention.mimeType });
      added += 1;
    }
  }
  return added;
};

export interface BlobViewOptions {
  readonly host: BlobHost;
  readonly onError: (error: unknown) => void;
}

/**
 * The blobs that a record refers to. Missing ones are downloaded from the account's host: at once if the repository is
 * a copy from there, otherwise on a click. `onError` gets errors.
 */
export const blobView = (repo: Repo, { uri, value }: FoundRecord, { host, onError }: BlobViewOptions): BlobView => {
  const mentions = blobMentions(value);
  const urls: string[] = [];
  const closing = new AbortController();
  const view = element('section', { class: 'blobs', 'aria-label': 'Blobs' });
  const report = (error: unknown): void => (closing.signal.aborted || isAbort(error) ? undefined : onError(error));

  const picker = (absent: readonly BlobMention[]): HTMLElement => {
    const onchange = (event: Event): void => {
      addFiles(repo, absent, (event.target as HTMLInputElement).files ?? [])
        .then((added) => {
          tell(added === 0 ? 'None of these files is a blob of this record.' : `${countOf(added, 'blob')} added.`);
          return added === 0 ? undefined : draw('none');
        })
        .catch(report);
    };
    return element(
      'label',
      { class: 'button file' },
      'Add from files',
      element('input', { type: 'file', multiple: true, onchange }),
    );
  };

  const download = async (absent: readonly BlobMention[]): Promise<void> => {
    const missing = absent.map((mention) => ({ ...mention, uri }));
    const { failed } = await host.fetch({ missing, signal: closing.signal });
    await draw('none', failed[0]?.error);
  };

  const noticeOf = (absent: readonly BlobMention[], failure: unknown): readonly HTMLElement[] => {
    const count = `${absent.length === mentions.length ? '' : `${absent.length} of `}${countOf(mentions.length, 'blob')}`;
    const why = failure === undefined ? ': a CAR file holds records, and no blobs.' : '.';
    const label = failure === undefined ? 'Download from the host' : 'Try again';
    const start = button(label, () => {
      start.disabled = true;
      download(absent).catch(report);
    });
    return [
      ...(failure === undefined ? [] : [networkNote(failure)]),
      element('p', { class: 'quiet' }, `${count} not here${why}`),
      element('div', { class: 'actions' }, start, picker(absent)),
    ];
  };

  /** `may`: whether missing blobs may be downloaded without a click. */
  const draw = async (may: 'copy' | 'none', failure?: unknown): Promise<void> => {
    const found = await Promise.all(
      mentions.map(async (mention) => ({ mention, blob: await repo.getBlob(mention.cid) })),
    );
    const absent = found.filter(({ blob }) => blob === undefined).map(({ mention }) => mention);
    const isDownload = may === 'copy' && absent.length > 0 && (await host.isKnown());
    if (closing.signal.aborted) {
      return;
    }
    const figures = found.map(({ mention, blob }) =>
      blob === undefined ? missing(mention, isDownload ? 'Downloading' : 'Not here') : shown(mention, blob, urls),
    );
    const notice = absent.length === 0 || isDownload ? [] : noticeOf(absent, failure);
    view.replaceChildren(
      element('h3', {}, countOf(mentions.length, 'blob')),
      element('div', { class: 'figures' }, ...figures),
      ...notice,
    );
    if (isDownload) {
      await download(absent);
    }
  };

  if (mentions.length > 0) {
    draw('copy').catch(report);
  }
  return {
    element: view,
    close: () => {
      closing.abort();
      urls.forEach((url) => URL.revokeObjectURL(url));
    },
  };
};
