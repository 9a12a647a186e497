/** Pulls the changes of the account's host, once or as they happen. */
import type { Repo } from 'pdsdb';
import type { Follow } from 'pdsdb/sync';
import { follow, pull } from 'pdsdb/sync';
import { button, element } from '../../../page/element.ts';
import { networkNote } from '../../../page/network-words.ts';
import { isAbort } from '../../../page/plain-words.ts';
import { formatShortDate } from '../../../page/quantities.ts';
import { networkOptions } from './hosts.ts';
import { countWords, countsOf, liveWords, progressWords, pullWords } from './sync-words.ts';

export class SyncBox {
  readonly element: HTMLElement;
  readonly #repo: Repo;
  readonly #pullButton: HTMLButtonElement;
  readonly #live: HTMLButtonElement;
  readonly #pulled: HTMLElement = element('p', { class: 'quiet', role: 'status' });
  readonly #state: HTMLElement = element('p', { class: 'quiet live-state', role: 'status' });
  readonly #changed: HTMLElement = element('p', { class: 'quiet' });
  readonly #trouble: HTMLElement = element('div', {});
  #pulling: { readonly abort: AbortController; readonly ended: Promise<void> } | undefined;
  #following: { readonly follow: Follow; readonly ended: Promise<void> } | undefined;

  constructor(repo: Repo) {
    this.#repo = repo;
    this.#pullButton = button('Pull', () => (this.#pulling === undefined ? this.pull() : this.#pulling.abort.abort()));
    this.#live = button('Live', () => (this.#following === undefined ? this.#start() : void this.#stop()), {
      role: 'switch',
      'aria-checked': 'false',
      class: 'switch',
    });
    this.element = element(
      'section',
      { class: 'sync', 'aria-label': 'Changes of the account' },
      element('div', { class: 'actions' }, this.#pullButton, this.#live),
      this.#pulled,
      this.#state,
      this.#changed,
      this.#trouble,
    );
  }

  /** Fetches what has changed, unless it is being fetched. */
  pull(): void {
    if (this.#pulling === undefined) {
      const abort = new AbortController();
      this.#pulling = { abort, ended: this.#pull(abort.signal) };
    }
  }

  /** Ends what runs. The repository can be closed afterwards. */
  async close(): Promise<void> {
    this.#pulling?.abort.abort();
    await Promise.all([this.#pulling?.ended, this.#stop()]);
  }

  async #pull(signal: AbortSignal): Promise<void> {
    this.#pullButton.textContent = 'Stop';
    this.#trouble.replaceChildren();
    try {
      const result = await pull(this.#repo, {
        ...networkOptions(),
        signal,
        blobs: false,
        onProgress: (progress) => this.#say(this.#pulled, progressWords(progress)),
      });
      this.#say(this.#pulled, pullWords(result));
    } catch (error) {
      this.#say(this.#pulled, isAbort(error) ? 'Stopped. Nothing was changed.' : '');
      this.#report(error);
    }
    this.#pulling = undefined;
    this.#pullButton.textContent = 'Pull';
  }

  #start(): void {
    const started = follow(this.#repo, { ...networkOptions(), blobs: false });
    this.#live.setAttribute('aria-checked', 'true');
    this.#trouble.replaceChildren();
    this.#following = { follow: started, ended: this.#run(started) };
  }

  async #stop(): Promise<void> {
    const following = this.#following;
    await following?.follow.close();
    await following?.ended;
  }

  async #run(updates: Follow): Promise<void> {
    try {
      for await (const update of updates) {
        if (update.type === 'state') {
          this.#state.dataset['state'] = update.state;
          this.#say(this.#state, liveWords(update));
        } else {
          this.#say(this.#changed, `${formatShortDate(new Date())}: ${countWords(countsOf(update.changes))}`);
        }
      }
    } catch (error) {
      this.#report(error);
    }
    this.#following = undefined;
    this.#say(this.#state, '');
    this.#live.setAttribute('aria-checked', 'false');
  }

  #report(error: unknown): void {
    if (!isAbort(error)) {
      this.#trouble.replaceChildren(networkNote(error));
    }
  }

  /** Only a change is announced to screen readers. */
  #say(into: HTMLElement, text: string): void {
    if (into.textContent !== text) {
      into.textContent = text;
    }
  }
}
