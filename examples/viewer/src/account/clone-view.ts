/** The view while an account is copied from its host. */
import type { Account, PullProgress } from 'pdsdb/sync';
import { button, element } from '../../../page/element.ts';
import { countOf, formatBytes } from '../../../page/quantities.ts';

const PHASES: Readonly<Record<PullProgress['phase'], string>> = {
  identity: 'Looking up the account',
  head: 'Asking its host for the newest commit',
  read: 'Downloading the records',
  verify: 'Checking every block, the tree and the signature',
  write: 'Storing the repository',
  blobs: 'Downloading the blobs',
};

export const phaseWords = ({ phase }: Pick<PullProgress, 'phase'>): string => PHASES[phase];

export class CloneView {
  readonly element: HTMLElement;
  readonly #title: HTMLElement;
  readonly #who: HTMLElement = element('p', { class: 'mono quiet' }, '\u00a0');
  readonly #phase: HTMLElement = element('p', { role: 'status' }, PHASES.identity);
  readonly #bytes: HTMLElement = element('span', {});
  readonly #records: HTMLElement = element('span', {});

  constructor(name: string, onCancel: () => void) {
    this.#title = element('h1', { tabindex: -1 }, name);
    const cancel = button('Cancel', () => {
      cancel.disabled = true;
      this.#phase.textContent = 'Stopping';
      onCancel();
    });
    this.element = element(
      'main',
      { class: 'sheet importing' },
      this.#title,
      this.#who,
      this.#phase,
      // Without a value: the host does not say how much it sends.
      element('progress', { 'aria-label': 'Progress' }),
      element('p', { class: 'counts quiet' }, this.#bytes, this.#records),
      element('div', { class: 'actions' }, cancel),
    );
  }

  /** Focuses the title: the field that had the focus may no longer be in the page. */
  focus(): void {
    this.#title.focus();
  }

  sayAccount({ did, pds }: Account): void {
    this.#who.textContent = `${did} at ${pds}`;
  }

  sayProgress(progress: PullProgress): void {
    const { phase, bytes, records } = progress;
    const text = phaseWords(progress);
    // Only a change is announced to screen readers.
    if (this.#phase.textContent !== text) {
      this.#phase.textContent = text;
    }
    if (phase === 'read' && bytes > 0) {
      this.#bytes.textContent = formatBytes(bytes);
    } else if (records > 0) {
      this.#records.textContent = countOf(records, 'record');
    }
  }
}
