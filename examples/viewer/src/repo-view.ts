/** The view of a repository: its collections, the records of one, and one record, side by side on wide screens. */
import type { CollectionCount, Repo } from 'pdsdb';
import { button, element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import { noteAbout } from './account/about.ts';
import { ListPane } from './list/list-pane.ts';
import type { OverviewOptions } from './overview.ts';
import { Overview } from './overview.ts';
import { RecordView } from './record/record-view.ts';
import type { Route } from './route.ts';
import { goTo } from './route.ts';
import type { RecordPath } from './list/rows.ts';
import { EVERYWHERE, Sidebar } from './sidebar.ts';
import { SyncBox } from './account/sync-box.ts';

/** While a key is held down, the records that it passes are not read. */
const MOVE_PAUSE_MS = 120;

/** The width from which list and record are side by side, as in the style sheet. */
const WIDE = '(min-width: 1000px)';

export interface RepoViewOptions extends OverviewOptions {
  /** Called when the facts for the first page have changed. */
  readonly onNoted: () => void;
}

export class RepoView {
  readonly element: HTMLElement = element('main', { class: 'repo', 'data-pane': 'overview' });
  readonly #repo: Repo;
  readonly #sidebar: Sidebar;
  /** The name of the view. Its visible part depends on the width. */
  readonly #title: HTMLElement = element('h1', { class: 'visually-hidden' });
  readonly #sync: SyncBox;
  readonly #page: Overview;
  readonly #overview: HTMLElement = element('div', { class: 'overview-pane', tabindex: -1 });
  readonly #list: ListPane;
  readonly #record: RecordView;
  readonly #stopListening: () => void;
  #counts: readonly CollectionCount[] | undefined;
  readonly #options: RepoViewOptions;
  /** Another number for each head. */
  #version = 0;
  #route: Route = {};
  /** The shown record. */
  #shown: RecordPath | undefined;
  #moveTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(repo: Repo, options: RepoViewOptions) {
    this.#repo = repo;
    this.#options = options;
    this.#sidebar = new Sidebar(repo.did);
    this.#sync = new SyncBox(repo);
    this.#page = new Overview(repo, options);
    this.#record = new RecordView(repo);
    this.#list = new ListPane(repo, {
      onOpen: (path) => this.#open(path),
      onMove: (path) => this.#pass(path),
      onBack: () => goTo({ did: repo.did }),
      onQuery: (query) => goTo({ ...this.#route, did: repo.did, query }, { replace: true }),
    });
    const back = button('Back to the list', () => this.#backToList(), { class: 'plain back' });
    this.element.append(
      this.#title,
      element('div', { class: 'side' }, this.#sync.element, this.#sidebar.element),
      this.#overview,
      this.#list.element,
      element('section', { class: 'record-pane', 'aria-label': 'Record' }, back, this.#record.element),
    );
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    this.#note();
    this.#stopListening = repo.onChange(() => {
      this.#note();
      this.#counts = undefined;
      this.#version += 1;
      this.show(this.#route);
      this.#record.update().catch((error: unknown) => console.warn(error));
    });
  }

  /** Shows a place in the repository. */
  show(route: Route): void {
    this.#route = route;
    this.#show(route).catch((error: unknown) => {
      this.element.dataset['pane'] = 'overview';
      this.#overview.replaceChildren(errorNote(error));
    });
  }

  /** Fetches what has changed at the account's host. */
  pull(): void {
    this.#sync.pull();
  }

  /** Shows the same place again after a change of settings. */
  refresh(): void {
    this.#shown = undefined;
    this.show(this.#route);
  }

  /** Also closes the repository. */
  async close(): Promise<void> {
    clearTimeout(this.#moveTimer);
    this.#stopListening();
    this.#list.close();
    this.#record.close();
    await Promise.all([this.#sync.close(), this.#page.close()]);
    await this.#repo.close();
  }

  async #show(route: Route): Promise<void> {
    const { did } = this.#repo;
    const { collection, rkey, query = '' } = route;
    const isEverywhere = collection === EVERYWHERE || route.everywhere === true;
    this.#counts ??= await this.#repo.collections();
    const counts = this.#counts;
    if (this.#route !== route) {
      return;
    }
    this.#sidebar.show(counts, collection);
    document.title = [rkey, collection === EVERYWHERE ? 'All collections' : collection, did]
      .filter((part) => part !== undefined)
      .join(' \u00b7 ');
    this.#title.textContent = document.title;
    this.#showPane(collection === undefined ? 'overview' : rkey === undefined ? 'list' : 'record');
    if (collection === undefined) {
      await this.#page.update();
      if (this.#route === route && this.#overview.firstChild !== this.#page.element) {
        this.#overview.replaceChildren(this.#page.element);
      }
      return;
    }
    // The user has read it and continues.
    this.#page.removeNotes();
    const known = counts.find((one) => one.collection === collection);
    // The results of all collections stay beside the selected record.
    this.#list.show(isEverywhere ? counts : [known ?? { collection, count: 0 }], {
      everywhere: isEverywhere,
      isKnown: isEverywhere || known !== undefined,
      query,
      version: this.#version,
    });
    if (rkey === undefined) {
      this.#shown = undefined;
      this.#list.mark(undefined);
      this.#record.clear();
      return;
    }
    this.#list.mark({ collection, rkey });
    // A changed query keeps the open record.
    if (this.#shown?.collection !== collection || this.#shown.rkey !== rkey) {
      this.#shown = { collection, rkey };
      await this.#record.show({ collection, rkey });
    }
  }

  #note(): void {
    noteAbout(this.#repo).then(this.#options.onNoted, (error: unknown) => {
      // The first page then shows fewer facts. The views show the error.
      console.warn(error);
    });
  }

  /** Returns the place of a record, with the query. */
  #routeTo(path: RecordPath): Route {
    const { query } = this.#route;
    return { did: this.#repo.did, ...path, query, everywhere: this.#list.isEverywhere };
  }

  /**
   * Shows one pane on a narrow screen. Moves the focus if it was in a pane that is now hidden.
   */
  #showPane(pane: 'list' | 'overview' | 'record'): void {
    const focused = document.activeElement;
    this.element.dataset['pane'] = pane;
    if (focused !== null && this.element.contains(focused) && !focused.checkVisibility()) {
      if (pane === 'list') {
        this.#list.focusList();
      } else {
        (pane === 'record' ? this.#record.element : this.#overview).focus();
      }
    }
  }

  #open(path: RecordPath): void {
    clearTimeout(this.#moveTimer);
    if (path.collection !== this.#route.collection || path.rkey !== this.#route.rkey) {
      goTo(this.#routeTo(path));
    }
  }

  /** Shows the selected record if both panes are visible. Replaces the history entry. */
  #pass(path: RecordPath | undefined): void {
    // The last record is no longer the selected one.
    clearTimeout(this.#moveTimer);
    if (path !== undefined && matchMedia(WIDE).matches) {
      this.#moveTimer = setTimeout(
        () => goTo(this.#routeTo(path), { replace: this.#route.rkey !== undefined }),
        MOVE_PAUSE_MS,
      );
    }
  }

  #backToList(): void {
    const { collection, query } = this.#route;
    goTo({ did: this.#repo.did, collection: this.#list.isEverywhere ? EVERYWHERE : collection, query });
    // If it is hidden, it gets the focus once it is visible.
    this.#list.focusList();
  }

  #onKey(event: KeyboardEvent): void {
    const isTyping = event.target instanceof HTMLInputElement;
    if (event.key === '/' && !isTyping && this.#route.collection !== undefined) {
      event.preventDefault();
      this.#list.focusSearch();
    } else if (event.key === 'Escape' && this.#route.rkey !== undefined) {
      this.#backToList();
    }
  }
}
