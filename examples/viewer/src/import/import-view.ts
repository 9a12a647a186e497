/** The view during an import. */
import type { Progress } from 'pdsdb';
import { button, element } from '../../../page/element.ts';
import { countOf, formatBytes } from '../../../page/quantities.ts';

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  read: 'Reading the file',
  verify: 'Checking every block and the tree',
  write: 'Storing the repository',
};

export class ImportView {
  readonly element: HTMLElement;
  readonly #size: number;
  readonly #who: HTMLElement = element('p', { class: 'mono quiet' }, '\u00a0');
  readonly #phase: HTMLElement = element('p', { role: 'status' }, 'Opening the file');
  readonly #bar: HTMLProgressElement = element('progress', { 'aria-label': 'Progress' });
  readonly #bytes: HTMLElement = element('span', {});
  readonly #records: HTMLElement = element('span', {});

  constructor(file: File, onCancel: () => void) {
    this.#size = file.size;
    this.#bytes.textContent = formatBytes(file.size);
    const cancel = button('Cancel', () => {
      cancel.disabled = true;
      this.#phase.textContent = 'Stopping; nothing is kept';
      onCancel();
    });
    this.element = element(
      'main',
      { class: 'sheet importing' },
      element('h1', {}, file.name),
      this.#who,
      this.#phase,
      this.#bar,
      element('p', { class: 'counts quiet' }, this.#bytes, this.#records),
      element('div', { class: 'actions' }, cancel),
    );
  }

  sayDid(did: string): void {
    this.#who.textContent = did;
  }

  sayProgress({ phase, bytes, records }: Progress): void {
    const text = PHASES[phase];
    // Only a change is announced to screen readers.
    if (this.#phase.textContent !== text) {
      this.#phase.textContent = text;
    }
    if (phase === 'read') {
      this.#bar.max = this.#size;
      this.#bar.value = bytes;
      this.#bytes.textContent = `${formatBytes(bytes)} of ${formatBytes(this.#size)}`;
    } else {
      // The total of this phase is not known before its end.
      this.#bar.removeAttribute('value');
      this.#bytes.textContent = formatBytes(this.#size);
      this.#records.textContent = countOf(records, 'record');
    }
  }
}
