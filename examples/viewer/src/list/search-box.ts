/** The search field, with progress and a stop button. */
import { button, element } from '../../../page/element.ts';
import { countOf, formatCount } from '../../../page/quantities.ts';

export interface SearchBoxOptions {
  /** Called with the query when the user has stopped typing, or with ''. */
  readonly onQuery: (query: string) => void;
  readonly onStop: () => void;
}

/** The delay after the last key press. Each query reads the whole collection. */
const PAUSE_MS = 250;

export class SearchBox {
  readonly element: HTMLElement;
  readonly #input: HTMLInputElement;
  readonly #status: HTMLElement;
  readonly #stop: HTMLButtonElement;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ onQuery, onStop }: SearchBoxOptions) {
    const ask = (): void => {
      clearTimeout(this.#timer);
      onQuery(this.#input.value.trim());
    };
    this.#input = element('input', {
      type: 'search',
      'aria-label': 'Search',
      autocomplete: 'off',
      spellcheck: 'false',
      enterkeyhint: 'search',
      oninput: () => {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(ask, this.#input.value === '' ? 0 : PAUSE_MS);
      },
      onkeydown: (event: KeyboardEvent) => {
        if (event.key === 'Enter') {
          ask();
        } else if (event.key === 'Escape' && this.#input.value !== '') {
          event.stopPropagation();
          this.#input.value = '';
          ask();
        }
      },
    });
    this.#status = element('p', { class: 'quiet', role: 'status' });
    this.#stop = button('Stop', onStop, { class: 'plain', hidden: true });
    this.element = element(
      'div',
      { class: 'search', role: 'search' },
      this.#input,
      element('div', { class: 'search-status' }, this.#status, this.#stop),
    );
  }

  /** Sets the query without calling `onQuery`. */
  set(query: string): void {
    clearTimeout(this.#timer);
    this.#input.value = query;
  }

  /** Sets the label of the search, and clears the query. */
  reset(placeholder: string): void {
    this.set('');
    this.#input.placeholder = placeholder;
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  /** Shows the number of records. */
  sayCount(count: number): void {
    this.#say(countOf(count, 'record'), false);
  }

  /** Shows the progress of a search. */
  sayProgress(found: number, searched: number, total: number): void {
    this.#say(`${formatCount(found)} found in ${formatCount(searched)} of ${formatCount(total)}`, true);
  }

  /** Shows the result of a search. */
  sayEnd(found: number, how: 'all' | 'full' | 'stopped'): void {
    const end = { all: '', full: ', and more: say it more precisely', stopped: ' before it was stopped' };
    this.#say(`${found === 0 ? 'Nothing' : formatCount(found)} found${end[how]}`, false);
  }

  #say(text: string, isRunning: boolean): void {
    this.#status.textContent = text;
    this.#stop.hidden = !isRunning;
  }
}
