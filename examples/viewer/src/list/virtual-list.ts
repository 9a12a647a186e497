/**
 * A list of any length that has elements only for its visible rows. It is a listbox for screen readers: it has the
 * focus, and names the active row. https://www.w3.org/WAI/ARIA/apg/patterns/listbox/
 */
import { element } from '../../../page/element.ts';

const ROW_HEIGHT = 64;

/** Extra rows above and below the visible ones, for a turn of the wheel. */
const OVERSCAN = 8;

/**
 * Firefox truncates elements above about 17.9 million pixels. Above this height, scrolling is scaled.
 */
const MAX_HEIGHT = 15_000_000;

export interface VirtualListOptions {
  readonly label: string;
  /** Fills the element of a row. */
  readonly fill: (row: HTMLElement, index: number) => void;
  /** The rows from `first` to `last` are visible. */
  readonly onRange: (first: number, last: number) => void;
  /** The user moved to a row with the keyboard. */
  readonly onMove: (index: number) => void;
  /** The user selected a row. */
  readonly onOpen: (index: number) => void;
}

export class VirtualList {
  readonly element: HTMLElement;
  readonly #spacer: HTMLElement;
  readonly #options: VirtualListOptions;
  readonly #rows = new Map<number, HTMLElement>();
  readonly #resize: ResizeObserver;
  #count = 0;
  #active = -1;
  #isDue = false;

  constructor(options: VirtualListOptions) {
    this.#options = options;
    this.#spacer = element('div', { class: 'spacer', role: 'presentation' });
    this.element = element(
      'div',
      { class: 'virtual-list', role: 'listbox', tabindex: 0, 'aria-label': options.label },
      this.#spacer,
    );
    this.element.addEventListener('scroll', () => this.#schedule(), { passive: true });
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    this.element.addEventListener('click', (event) => this.#onClick(event));
    this.#resize = new ResizeObserver(() => this.#schedule());
    this.#resize.observe(this.element);
  }

  get active(): number {
    return this.#active;
  }

  /** Sets the number of rows, and fills the visible ones again. */
  setCount(count: number): void {
    this.#count = count;
    this.#spacer.style.height = `${this.#height}px`;
    this.refresh();
  }

  /** Fills the visible rows again. */
  refresh(): void {
    for (const [index, row] of this.#rows) {
      if (index < this.#count) {
        this.#fill(row, index);
      }
    }
    this.#schedule();
  }

  /** Makes a row active (-1 for none), and scrolls to it, unless it is the same row at a new index. */
  setActive(index: number, { scroll = true }: { readonly scroll?: boolean } = {}): void {
    this.#active = index;
    if (index >= 0 && scroll) {
      this.#reveal(index);
    }
    this.refresh();
  }

  /** Scrolls to the first row. */
  toTop(): void {
    this.element.scrollTop = 0;
  }

  close(): void {
    this.#resize.disconnect();
  }

  get #height(): number {
    return Math.min(this.#count * ROW_HEIGHT, MAX_HEIGHT);
  }

  /** The movement of the rows per scrolled pixel: 1, unless the list is higher than an element can be. */
  get #scale(): number {
    const sight = this.element.clientHeight;
    return this.#height <= sight ? 1 : (this.#count * ROW_HEIGHT - sight) / (this.#height - sight);
  }

  /** Renders at most once per frame. */
  #schedule(): void {
    if (!this.#isDue) {
      this.#isDue = true;
      requestAnimationFrame(() => {
        this.#isDue = false;
        this.#layOut();
      });
    }
  }

  #layOut(): void {
    const { scrollTop, clientHeight } = this.element;
    const top = scrollTop * this.#scale;
    const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - OVERSCAN);
    const last = Math.min(this.#count, Math.ceil((top + clientHeight) / ROW_HEIGHT) + OVERSCAN);
    const idle: HTMLElement[] = [];
    for (const [index, row] of this.#rows) {
      if (index < first || index >= last) {
        this.#rows.delete(index);
        idle.push(row);
      }
    }
    for (let index = first; index < last; index++) {
      let row = this.#rows.get(index);
      if (row === undefined) {
        row = idle.pop() ?? this.#makeRow();
        this.#rows.set(index, row);
        this.#fill(row, index);
      }
      row.style.transform = `translateY(${index * ROW_HEIGHT - top + scrollTop}px)`;
    }
    idle.forEach((row) => row.remove());
    this.#nameActive();
    this.#options.onRange(first, last);
  }

  #makeRow(): HTMLElement {
    const row = element('div', { class: 'row', role: 'option' });
    this.#spacer.append(row);
    return row;
  }

  #fill(row: HTMLElement, index: number): void {
    row.id = `row-${index}`;
    row.dataset['index'] = String(index);
    row.setAttribute('aria-posinset', String(index + 1));
    row.setAttribute('aria-setsize', String(this.#count));
    row.setAttribute('aria-selected', String(index === this.#active));
    this.#options.fill(row, index);
  }

  #nameActive(): void {
    if (this.#rows.has(this.#active)) {
      this.element.setAttribute('aria-activedescendant', `row-${this.#active}`);
    } else {
      this.element.removeAttribute('aria-activedescendant');
    }
  }

  #reveal(index: number): void {
    const sight = this.element.clientHeight;
    const top = this.element.scrollTop * this.#scale;
    const at = index * ROW_HEIGHT;
    if (at < top) {
      this.element.scrollTop = at / this.#scale;
    } else if (at + ROW_HEIGHT > top + sight) {
      this.element.scrollTop = (at + ROW_HEIGHT - sight) / this.#scale;
    }
  }

  #onKey(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      End: this.#count,
      Home: -this.#count,
      PageDown: page,
      PageUp: -page,
    };
    const step = steps[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey || this.#count === 0) {
      return;
    }
    if (step !== undefined) {
      event.preventDefault();
      this.setActive(Math.min(this.#count - 1, Math.max(0, this.#active + step)));
      this.#options.onMove(this.#active);
    } else if (event.key === 'Enter' && this.#active >= 0) {
      event.preventDefault();
      this.#options.onOpen(this.#active);
    }
  }

  #onClick(event: MouseEvent): void {
    const index = (event.target as Element).closest<HTMLElement>('.row')?.dataset['index'];
    if (index !== undefined) {
      this.setActive(Number(index));
      this.#options.onOpen(this.#active);
    }
  }
}
