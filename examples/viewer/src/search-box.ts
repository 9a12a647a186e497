/** The field for searching, with how far it is and a way to stop it. */
import { button, element } from '../../page/element.ts';
import { countOf, formatCount } from '../../page/quantities.ts';

export interface SearchBoxOptions {
  /** Called with the query when the reader has stopped typing, or with '' when there is none. */
  readonly onQuery: (query: string) => void;
  readonly onStop: () => void;
}

/** People type a few letters a second; each query reads the whole collection. */
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

  /** Puts a query in, which nobody is told of. */
  set(query: string): void {
    clearTimeout(this.#timer);
    this.#input.value = query;
  }

  /** Says what is searched, and forgets the query. */
  reset(placeholder: string): void {
    this.set('');
    this.#input.placeholder = placeholder;
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  /** Says how many records there are to see. */
  sayCount(count: number): void {
    this.#say(countOf(count, 'record'), false);
  }

  /** Says how far a search is. */
  sayProgress(found: number, searched: number, total: number): void {
    this.#say(`${formatCount(found)} found in ${formatCount(searched)} of ${formatCount(total)}`, true);
  }

  /** Says how a search ended. */
  sayEnd(found: number, how: 'all' | 'full' | 'stopped'): void {
    const end = { all: '', full: ', and more: say it more precisely', stopped: ' before it was stopped' };
    this.#say(`${found === 0 ? 'Nothing' : formatCount(found)} found${end[how]}`, false);
  }

  #say(text: string, isRunning: boolean): void {
    this.#status.textContent = text;
    this.#stop.hidden = !isRunning;
  }
}
