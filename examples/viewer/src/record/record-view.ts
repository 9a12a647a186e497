/** The view of a record: its name, blobs and JSON. */
import type { FoundRecord, Repo } from 'pdsdb';
import { isTid, tidToMicroseconds, toJson } from 'pdsdb';
import { button, element } from '../../../page/element.ts';
import { errorNote } from '../../../page/error-note.ts';
import { formatBytes, formatDate } from '../../../page/quantities.ts';
import { tell } from '../../../page/toast.ts';
import { BlobHost } from '../blob/blob-host.ts';
import type { BlobView } from '../blob/blob-view.ts';
import { blobView } from '../blob/blob-view.ts';
import { fact } from '../fact.ts';
import { jsonView, shortCid } from './json-view.ts';
import { recordCard } from './record-card.ts';
import type { RecordPath } from '../list/rows.ts';

const copy = (text: string, what: string): void => {
  navigator.clipboard.writeText(text).then(
    () => tell(`${what} copied.`),
    () => tell('The browser did not allow copying.'),
  );
};

export class RecordView {
  readonly element: HTMLElement = element('article', { class: 'record', tabindex: -1 });
  readonly #repo: Repo;
  readonly #host: BlobHost;
  #blobs: BlobView | undefined;
  /** What is shown: the path, and the CID unless the record is missing. */
  #shown: (RecordPath & { readonly cid: string | undefined }) | undefined;
  /** Counts the requests, so that a slow result does not replace a later one. */
  #asked = 0;

  constructor(repo: Repo) {
    this.#repo = repo;
    this.#host = new BlobHost(repo);
    this.clear();
  }

  /** Shows that no record is selected. */
  clear(): void {
    this.#asked += 1;
    this.#shown = undefined;
    this.#replace(element('p', { class: 'quiet blank-pane' }, 'Choose a record to read it.'));
  }

  /** Shows the record again if it has changed. */
  async update(): Promise<void> {
    const shown = this.#shown;
    if (shown !== undefined) {
      const found = await this.#repo.get(shown.collection, shown.rkey).catch(() => undefined);
      if (this.#shown === shown && found?.cid.toString() !== shown.cid) {
        await this.show(shown);
      }
    }
  }

  /** Shows a record, or that it is missing. */
  async show({ collection, rkey }: RecordPath): Promise<void> {
    this.#asked += 1;
    const asked = this.#asked;
    let content: readonly HTMLElement[];
    let blobs: BlobView | undefined;
    let cid: string | undefined;
    try {
      const found = await this.#repo.get(collection, rkey);
      cid = found?.cid.toString();
      blobs =
        found === undefined
          ? undefined
          : blobView(this.#repo, found, {
              host: this.#host,
              onError: (error) => blobs?.element.replaceChildren(errorNote(error)),
            });
      content =
        found === undefined || blobs === undefined
          ? [this.#absent(collection, rkey)]
          : this.#present(found, { collection, rkey }, blobs);
    } catch (error) {
      content = [errorNote(error)];
    }
    if (asked !== this.#asked) {
      blobs?.close();
      return;
    }
    this.#replace(this.#heading(collection, rkey), ...content);
    this.#blobs = blobs;
    this.#shown = { collection, rkey, cid };
    this.element.scrollTop = 0;
  }

  close(): void {
    this.#asked += 1;
    this.#blobs?.close();
  }

  #replace(...content: readonly HTMLElement[]): void {
    this.#blobs?.close();
    this.#blobs = undefined;
    this.element.replaceChildren(...content);
  }

  #heading(collection: string, rkey: string): HTMLElement {
    return element(
      'header',
      {},
      element('h2', { class: 'mono' }, rkey),
      element('p', { class: 'quiet mono' }, collection),
    );
  }

  #absent(collection: string, rkey: string): HTMLElement {
    return element(
      'div',
      { class: 'note warn' },
      element('h2', {}, 'There is no such record here.'),
      element(
        'p',
        {},
        `It may have been deleted, or it is newer than this copy of the repository: ${collection}/${rkey}.`,
      ),
    );
  }

  #present(
    { uri, cid, value, bytes }: FoundRecord,
    { collection, rkey }: RecordPath,
    blobs: BlobView,
  ): readonly HTMLElement[] {
    const card = recordCard(this.#repo, collection, value);
    const json = element(
      'div',
      { class: 'json', role: 'group', 'aria-label': 'The record as JSON' },
      jsonView(value, this.#repo),
    );
    const facts = [
      ...(isTid(rkey) ? [fact('Key from', formatDate(new Date(tidToMicroseconds(rkey) / 1000)))] : []),
      fact('Size', formatBytes(bytes.length)),
      fact('CID', element('span', { class: 'mono', title: cid.toString() }, shortCid(cid.toString()))),
    ];
    return [
      element('dl', { class: 'facts' }, ...facts),
      card === undefined ? json : element('div', { class: 'beside' }, card, json),
      blobs.element,
      element(
        'div',
        { class: 'actions' },
        button('Copy JSON', () => copy(JSON.stringify(toJson(value), undefined, 2), 'The record')),
        button('Copy URI', () => copy(uri, 'The URI')),
        button('Copy CID', () => copy(cid.toString(), 'The CID')),
      ),
    ];
  }
}
