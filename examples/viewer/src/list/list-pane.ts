/** The list of a collection's records, or of search results. */
import type { CollectionCount, Repo } from 'pdsdb';
import { button, element } from '../../../page/element.ts';
import { errorNote } from '../../../page/error-note.ts';
import { isAbort } from '../../../page/plain-words.ts';
import { CollectionRows } from './collection-rows.ts';
import { FoundRows } from './found-rows.ts';
import { fillRow, unknownNote } from './row-content.ts';
import type { RecordPath, Rows } from './rows.ts';
import { SearchBox } from './search-box.ts';
import { pathIn, search } from './search.ts';
import { VirtualList } from './virtual-list.ts';

export interface ListPaneOptions {
  readonly onOpen: (path: RecordPath) => void;
  /**
   * Called when the selection moves to a record, with `undefined` while the record is not loaded; then it is called
   * again.
   */
  readonly onMove: (path: RecordPath | undefined) => void;
  readonly onBack: () => void;
  /** Called when the query changes; '' ends the search. */
  readonly onQuery: (query: string) => void;
}

export interface ShowOptions {
  /** Whether all collections are searched. */
  readonly everywhere?: boolean | undefined;
  /** Whether the repository has the collection. */
  readonly isKnown?: boolean | undefined;
  /** The query, or ''. */
  readonly query?: string | undefined;
  /** Another number for each head of the repository. */
  readonly version?: number | undefined;
}

export class ListPane {
  readonly element: HTMLElement;
  readonly #repo: Repo;
  readonly #options: ListPaneOptions;
  readonly #title: HTMLElement = element('h2', { class: 'mono' });
  readonly #note: HTMLElement = element('div', { class: 'list-note' });
  readonly #box: SearchBox;
  readonly #list: VirtualList;
  #scope: readonly CollectionCount[] | undefined;
  /** The last query, or ''. */
  #query = '';
  #own: CollectionRows | undefined;
  /** The rows of a newer head, until those in sight are loaded. */
  #newer: CollectionRows | undefined;
  #version = 0;
  /** The first and last visible rows. */
  #range: readonly [first: number, last: number] = [0, 0];
  #rows: Rows = new FoundRows();
  #searching: AbortController | undefined;
  /** The record to scroll to, until its index is known or the user navigates away. */
  #sought: RecordPath | undefined;
  /** The target of a key such as End, while the keys are still loading. */
  #untold: { readonly index: number; readonly to: (path: RecordPath) => void } | undefined;

  constructor(repo: Repo, options: ListPaneOptions) {
    this.#repo = repo;
    this.#options = options;
    this.#box = new SearchBox({ onQuery: (query) => this.#asked(query), onStop: () => this.#searching?.abort() });
    this.#list = new VirtualList({
      label: 'Records',
      fill: (row, index) => fillRow(row, this.#rows.at(index), this.isEverywhere),
      onRange: (first, last) => {
        this.#range = [first, last];
        this.#rows.want(first, last);
      },
      onMove: (index) => this.#pass(index, options.onMove),
      onOpen: (index) => this.#pass(index, options.onOpen),
    });
    const back = button('Back', options.onBack, { class: 'plain back' });
    this.element = element(
      'section',
      { class: 'list-pane', 'aria-label': 'Records' },
      element('header', {}, back, this.#title),
      this.#box.element,
      this.#note,
      this.#list.element,
    );
  }

  /** Whether the results are from all collections. */
  get isEverywhere(): boolean {
    return this.#scope !== undefined && this.#own === undefined;
  }

  /**
   * Shows a collection, or with `everywhere` the search in all collections. If it is already shown, it stays, also with
   * a search.
   */
  show(scope: readonly CollectionCount[], options: ShowOptions = {}): void {
    const { everywhere = false, isKnown = true, query = '', version = 0 } = options;
    const isSamePlace =
      everywhere === this.isEverywhere &&
      JSON.stringify(scope.map(({ collection }) => collection)) ===
        JSON.stringify(this.#scope?.map(({ collection }) => collection));
    const isSameHead = version === this.#version;
    this.#version = version;
    if (isSamePlace) {
      if (!isSameHead) {
        this.#update(scope, isKnown);
      }
      // Not the text of the box, because the user may still be typing.
      if (query !== this.#query) {
        this.#query = query;
        this.#box.set(query);
        this.#ask(query);
      }
      return;
    }
    this.#scope = scope;
    this.#searching?.abort();
    this.#own?.close();
    this.#own = undefined;
    this.#newer?.close();
    this.#newer = undefined;
    this.#rows = new FoundRows();
    this.#sought = undefined;
    this.#untold = undefined;
    this.#note.replaceChildren();
    const [only] = scope;
    this.#title.textContent = everywhere ? 'All collections' : (only?.collection ?? '');
    this.#title.classList.toggle('mono', !everywhere);
    this.#box.reset(everywhere ? 'Search all keys and texts' : 'Search keys and texts');
    if (!everywhere && only !== undefined) {
      this.#own = this.#rowsOf(only, () => this.#arrived());
      this.#showOwn();
    } else {
      this.#show(this.#rows);
      this.#box.sayCount(this.#total);
    }
    this.#list.setActive(-1);
    this.#list.toTop();
    this.#query = query;
    this.#box.set(query);
    if (!isKnown) {
      this.#note.replaceChildren(unknownNote(only?.collection ?? ''));
    } else if (query !== '') {
      this.#ask(query);
    }
  }

  /** Marks a record as open, and scrolls to it once its index is known. */
  mark(path: RecordPath | undefined): void {
    this.#sought = path;
    this.#untold = undefined;
    if (path === undefined && this.#rows === this.#own) {
      this.#list.setActive(-1);
    }
    this.#findSought();
  }

  focusSearch(): void {
    this.#box.focus();
  }

  focusList(): void {
    this.#list.element.focus();
  }

  close(): void {
    this.#searching?.abort();
    this.#own?.close();
    this.#newer?.close();
    this.#list.close();
  }

  #rowsOf({ collection, count }: CollectionCount, onArrival: () => void): CollectionRows {
    return new CollectionRows(this.#repo, collection, count, onArrival, (error) => this.#fail(error));
  }

  /** Loads the rows of a newer head beside the old ones, which stay until then. Results of a search stay, too. */
  #update(scope: readonly CollectionCount[], isKnown: boolean): void {
    this.#scope = scope;
    const [only] = scope;
    this.#newer?.close();
    this.#newer = undefined;
    if (this.#own === undefined || only === undefined) {
      return;
    }
    this.#note.replaceChildren(...(isKnown ? [] : [unknownNote(only.collection)]));
    const newer = this.#rowsOf(only, () => {
      if (this.#newer === newer && (newer.count === 0 || newer.at(Math.min(this.#range[0], newer.count - 1)))) {
        this.#replaceOwn(newer);
      }
      if (this.#own === newer) {
        this.#arrived();
      }
    });
    this.#newer = newer;
    newer.want(...this.#range);
  }

  #replaceOwn(newer: CollectionRows): void {
    const old = this.#own;
    const active = old?.pathOf(this.#list.active);
    this.#own = newer;
    this.#newer = undefined;
    old?.close();
    if (this.#rows === old) {
      this.#showOwn();
      this.#list.setActive(active === undefined ? -1 : newer.indexOf(active.rkey), { scroll: false });
    }
  }

  get #total(): number {
    return (this.#scope ?? []).reduce((sum, { count }) => sum + count, 0);
  }

  #showOwn(): void {
    if (this.#own !== undefined) {
      this.#show(this.#own);
      this.#box.sayCount(this.#own.count);
    }
  }

  #show(rows: Rows): void {
    this.#rows = rows;
    this.#list.setCount(rows.count);
  }

  #arrived(): void {
    if (this.#rows === this.#own) {
      this.#list.refresh();
      this.#findSought();
      if (this.#untold !== undefined) {
        this.#pass(this.#untold.index, this.#untold.to);
      }
    }
  }

  #findSought(): void {
    const index =
      this.#sought === undefined || this.#rows !== this.#own ? -1 : (this.#own?.indexOf(this.#sought.rkey) ?? -1);
    if (index >= 0) {
      this.#sought = undefined;
      if (index !== this.#list.active) {
        this.#list.setActive(index);
      }
    }
  }

  #pass(index: number, to: (path: RecordPath) => void): void {
    this.#sought = undefined;
    const path = this.#rows.pathOf(index);
    this.#untold = path === undefined ? { index, to } : undefined;
    if (path === undefined) {
      this.#options.onMove(undefined);
    } else {
      to(path);
    }
  }

  #fail(error: unknown): void {
    this.#note.replaceChildren(errorNote(error));
  }

  #asked(query: string): void {
    // A path is a navigation and not a search.
    if (pathIn(query, this.#repo.did) === undefined) {
      this.#query = query;
      this.#options.onQuery(query);
    }
    this.#ask(query);
  }

  #ask(query: string): void {
    this.#searching?.abort();
    this.#note.replaceChildren();
    const path = pathIn(query, this.#repo.did);
    if (path !== undefined) {
      this.#options.onOpen(path);
    } else if (query !== '') {
      this.#search(query).catch((error: unknown) => this.#fail(error));
    } else if (this.#own !== undefined) {
      this.#showOwn();
    } else {
      this.#show(new FoundRows());
      this.#box.sayCount(this.#total);
    }
  }

  async #search(query: string): Promise<void> {
    const work = new AbortController();
    this.#searching = work;
    const found = new FoundRows();
    const scope = this.#scope ?? [];
    const total = this.#total;
    const isCurrent = (): boolean => this.#searching === work;
    let isFull = false;
    this.#list.setActive(-1);
    this.#show(found);
    this.#list.toTop();
    this.#box.sayProgress(0, 0, total);
    try {
      await search(
        this.#repo,
        scope.map(({ collection }) => collection),
        query,
        {
          signal: work.signal,
          onProgress: (rows, searched) => {
            if (!isCurrent()) {
              return;
            }
            isFull = !found.add(rows);
            this.#show(found);
            this.#box.sayProgress(found.count, searched, total);
            if (isFull) {
              work.abort();
            }
          },
        },
      );
      if (isCurrent()) {
        this.#box.sayEnd(found.count, 'all');
      }
    } catch (error) {
      if (!isAbort(error)) {
        throw error;
      }
      // A new query replaces this one; a stopped search keeps its results.
      if (isCurrent() && this.#rows === found) {
        this.#box.sayEnd(found.count, isFull ? 'full' : 'stopped');
      }
    }
  }
}
