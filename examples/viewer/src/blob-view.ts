/** The blobs of a record: shows pictures and videos, offers other blobs for saving, and lists missing ones. */
import type { BlobMention, Repo } from 'pdsdb';
import { CODEC_RAW, blobMentions, cidOf } from 'pdsdb';
import { element } from '../../page/element.ts';
import { countOf, formatBytes } from '../../page/quantities.ts';
import { tell } from '../../page/toast.ts';
import { shortCid } from './json-view.ts';

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

const missing = (mention: BlobMention): HTMLElement =>
  element(
    'figure',
    {},
    element('div', { class: 'blank' }, 'Not here'),
    element('figcaption', { title: mention.cid.toString() }, `${shortCid(mention.cid.toString())}, ${sizeOf(mention)}`),
  );

export interface BlobView {
  readonly element: HTMLElement;
  /** Frees the memory of the pictures. */
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

/** The blobs that a record refers to. `onError` gets errors. */
export const blobView = (repo: Repo, value: unknown, onError: (error: unknown) => void): BlobView => {
  const mentions = blobMentions(value);
  const urls: string[] = [];
  const view = element('section', { class: 'blobs', 'aria-label': 'Blobs' });

  const picker = (absent: readonly BlobMention[]): HTMLElement => {
    const onchange = (event: Event): void => {
      addFiles(repo, absent, (event.target as HTMLInputElement).files ?? [])
        .then((added) => {
          tell(added === 0 ? 'None of these files is a blob of this record.' : `${countOf(added, 'blob')} added.`);
          return added === 0 ? undefined : draw();
        })
        .catch(onError);
    };
    return element(
      'label',
      { class: 'button file' },
      'Add from files',
      element('input', { type: 'file', multiple: true, onchange }),
    );
  };

  const draw = async (): Promise<void> => {
    const found = await Promise.all(
      mentions.map(async (mention) => ({ mention, blob: await repo.getBlob(mention.cid) })),
    );
    const absent = found.filter(({ blob }) => blob === undefined).map(({ mention }) => mention);
    const figures = found.map(({ mention, blob }) =>
      blob === undefined ? missing(mention) : shown(mention, blob, urls),
    );
    const notice =
      absent.length === 0
        ? []
        : [
            element(
              'p',
              { class: 'quiet' },
              `${absent.length === mentions.length ? '' : `${absent.length} of `}${countOf(mentions.length, 'blob')} not here: a CAR file holds records, and no blobs.`,
            ),
            picker(absent),
          ];
    view.replaceChildren(
      element('h3', {}, countOf(mentions.length, 'blob')),
      element('div', { class: 'figures' }, ...figures),
      ...notice,
    );
  };

  if (mentions.length > 0) {
    draw().catch(onError);
  }
  return { element: view, close: () => urls.forEach((url) => URL.revokeObjectURL(url)) };
};
