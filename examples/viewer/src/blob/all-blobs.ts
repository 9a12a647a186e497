/** Downloads all missing blobs from the account's host. */
import type { MissingBlob, Repo } from 'pdsdb';
import type { FailedBlob, FetchedBlobs } from 'pdsdb/sync';
import { button, element } from '../../../page/element.ts';
import { networkNote, networkWords } from '../../../page/network-words.ts';
import { isAbort } from '../../../page/plain-words.ts';
import { countOf, formatBytes, formatCount } from '../../../page/quantities.ts';
import { parseUri } from '../record/at-uri.ts';
import { BlobHost } from './blob-host.ts';
import { shortCid } from '../record/json-view.ts';
import { addressOf } from '../route.ts';

/** The largest number of listed failures. */
const MAX_FAILED = 100;

const failure = (did: string, { cid, uri, error }: FailedBlob): HTMLElement => {
  const { collection, rkey } = parseUri(uri) ?? {};
  const href = addressOf({ did, collection, rkey });
  return element(
    'li',
    {},
    element('a', { href, 'data-internal': true }, shortCid(cid.toString())),
    `: ${networkWords(error).what}`,
  );
};

export class AllBlobs {
  readonly element: HTMLElement;
  readonly #repo: Repo;
  readonly #host: BlobHost;
  readonly #onStored: () => void;
  readonly #button: HTMLButtonElement = button('Download all missing blobs', () => this.#press());
  readonly #bar: HTMLProgressElement = element('progress', { 'aria-label': 'Downloaded blobs' });
  readonly #status: HTMLElement = element('p', { class: 'quiet', role: 'status' });
  readonly #outcome: HTMLElement = element('div', { class: 'outcome' });
  #isClosed = false;
  #running: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;

  /** `onStored` is called when blobs were stored. */
  constructor(repo: Repo, onStored: () => void) {
    this.#repo = repo;
    this.#host = new BlobHost(repo);
    this.#onStored = onStored;
    this.#bar.hidden = true;
    this.element = element(
      'div',
      { class: 'outcome' },
      element('div', { class: 'actions' }, this.#button),
      this.#bar,
      this.#status,
      this.#outcome,
    );
  }

  /** Ends the download. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#running?.abort.abort();
    await this.#running?.ended;
  }

  #press(): void {
    if (this.#running === undefined) {
      const abort = new AbortController();
      this.#running = { abort, ended: this.#run(abort.signal) };
    } else {
      this.#running.abort.abort();
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.#button.textContent = 'Stop the download';
    this.#outcome.replaceChildren();
    this.#status.textContent = 'Looking for missing blobs';
    this.#bar.removeAttribute('value');
    this.#bar.hidden = false;
    let stored = 0;
    try {
      const missing: MissingBlob[] = [];
      for await (const blob of this.#repo.missingBlobs()) {
        signal.throwIfAborted();
        missing.push(blob);
      }
      this.#bar.max = Math.max(1, missing.length);
      const result = await this.#host.fetch({
        missing,
        signal,
        onProgress: ({ phase, blobs, bytes }) => {
          stored = blobs;
          if (phase === 'blobs') {
            this.#bar.value = blobs;
            this.#status.textContent = `${formatCount(blobs)} of ${countOf(missing.length, 'blob')}, ${formatBytes(bytes)}`;
          }
        },
      });
      this.#show(result, missing.length);
    } catch (error) {
      this.#status.textContent = isAbort(error)
        ? `Stopped. ${countOf(stored, 'blob')} downloaded. The next download continues from there.`
        : '';
      if (!isAbort(error)) {
        this.#outcome.replaceChildren(networkNote(error));
      }
    }
    this.#bar.hidden = true;
    this.#button.textContent = 'Download all missing blobs';
    this.#running = undefined;
    if (stored > 0 && !this.#isClosed) {
      this.#onStored();
    }
  }

  #show({ fetched, bytes, failed, stopped }: FetchedBlobs, wanted: number): void {
    this.#status.textContent =
      wanted === 0 ? 'No blob is missing.' : `${countOf(fetched, 'blob')} downloaded, ${formatBytes(bytes)}.`;
    if (stopped !== undefined) {
      this.#outcome.replaceChildren(networkNote(stopped));
    } else if (failed.length > 0) {
      const listed = failed.slice(0, MAX_FAILED).map((one) => failure(this.#repo.did, one));
      this.#outcome.replaceChildren(
        element('p', {}, `${countOf(failed.length, 'blob')} could not be downloaded:`),
        element('ul', { class: 'faults' }, ...listed),
      );
    }
  }
}
