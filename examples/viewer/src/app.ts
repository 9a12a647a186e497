/** The page: the shown view and the open repository. */
import type { ImportResult } from 'pdsdb';
import type { FolderEntry } from 'pdsdb/browser';
import type { PullResult } from 'pdsdb/sync';
import { button, element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import { fileButton } from '../../page/file-button.ts';
import { networkNote } from '../../page/network-words.ts';
import { isAbort } from '../../page/plain-words.ts';
import { tell } from '../../page/toast.ts';
import { forgetAbout } from './account/about.ts';
import { accountField } from './account/account-field.ts';
import { readAccountLink } from './account/account-link.ts';
import { openAccount } from './account/clone-account.ts';
import { CloneView } from './account/clone-view.ts';
import { onDrop } from './import/dropped.ts';
import { saveFolder } from './export.ts';
import { droppedFiles } from './import/folder-files.ts';
import { homeView } from './home.ts';
import { importCarFile } from './import/import-car.ts';
import { ImportView } from './import/import-view.ts';
import { INCOMING, deleteWhenFree, deleteTemporaryRepos } from './import/temporary-repos.ts';
import type { News, OtherTabs } from './other-tabs.ts';
import { joinTabs } from './other-tabs.ts';
import { RepoView } from './repo-view.ts';
import { keptFolder, keptNames, openKept } from './repos.ts';
import type { Route } from './route.ts';
import { addressOf, goTo, onMove, readRoute, rememberRepo } from './route.ts';
import { siteChooser } from './site-chooser.ts';
import { takeFolder } from './import/take-folder.ts';

interface Open {
  readonly did: string;
  readonly view: RepoView;
}

export class App {
  readonly #root: HTMLElement;
  readonly #main: HTMLElement = element('div', { class: 'content' });
  #open: Open | undefined;
  #importing: AbortController | undefined;
  /** The result of the last import, for the repository that it opens. */
  #imported: ImportResult | undefined;
  /** The result of the last copy from the network, for the repository that it opens. */
  #cloned: PullResult | undefined;
  /** Navigations run one after the other, because each opens and closes a repository. */
  #turn: Promise<void> = Promise.resolve();

  readonly #tabs: OtherTabs;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#tabs = joinTabs((news) => this.#hear(news));
  }

  /** Shows the view of the address, and follows its changes. */
  start(): void {
    const bar = element(
      'header',
      { class: 'bar' },
      element('a', { class: 'brand', href: addressOf({}), 'data-internal': true }, 'Repositories'),
      siteChooser(() => this.#open?.view.refresh()),
      accountField('bar-account', { compact: true, onOpen: (text) => this.#takeIn(() => this.#openAccount(text)) }),
      fileButton('Open CAR', (file) => this.#take(file), 'plain'),
    );
    this.#root.replaceChildren(bar, this.#main);
    document.addEventListener('click', (event) => this.#onClick(event));
    onDrop({
      onFile: (file) => this.#take(file),
      onFolder: (folder) => this.#takeIn(() => this.#takeFolder(() => droppedFiles(folder))),
    });
    onMove(() => this.#follow());
    // The next page load tries again.
    this.#turn = deleteTemporaryRepos().catch((error: unknown) => console.warn(error));
    this.#follow();
  }

  /** Links within the page do not load it again. */
  #onClick(event: MouseEvent): void {
    const link = (event.target as Element).closest?.<HTMLAnchorElement>('a[data-internal]');
    if (link === null || link === undefined || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    goTo(readRoute(new URL(link.href)));
  }

  #take(file: File): void {
    this.#takeIn(() => this.#import(file));
  }

  /** Runs an import, unless there is one. */
  #takeIn(run: () => Promise<void>): void {
    if (this.#importing === undefined) {
      this.#do(run);
    } else {
      tell('One at a time: wait for this one to end.');
    }
  }

  async #takeFolder(files: () => Promise<readonly FolderEntry[]>): Promise<void> {
    this.#importing = new AbortController();
    try {
      await this.#close();
      this.#wait('Reading the folder');
      const did = await takeFolder(await files());
      this.#importing = undefined;
      this.#tabs.tell({ kind: 'changed' });
      goTo({ did });
    } catch (error) {
      this.#importing = undefined;
      history.replaceState(undefined, '', addressOf({}));
      await this.#home(errorNote(error));
    }
  }

  async #import(file: File): Promise<void> {
    const work = new AbortController();
    const view = new ImportView(file, () => work.abort());
    this.#importing = work;
    try {
      await this.#close();
      document.title = `Importing ${file.name}`;
      this.#main.replaceChildren(view.element);
      const { did, result } = await importCarFile(file, {
        signal: work.signal,
        onDid: (found) => view.sayDid(found),
        onProgress: (progress) => view.sayProgress(progress),
      });
      this.#importing = undefined;
      this.#imported = result;
      this.#tabs.tell({ kind: 'changed' });
      goTo({ did });
    } catch (error) {
      this.#importing = undefined;
      history.replaceState(undefined, '', addressOf({}));
      await this.#home(isAbort(error) ? undefined : errorNote(error));
      if (isAbort(error)) {
        tell('Cancelled. Nothing of the file was kept.');
      }
    }
  }

  /** Opens an account of the network, at a record if the text is a link to one. */
  async #openAccount(text: string): Promise<void> {
    const { name, ...place } = readAccountLink(text);
    const work = new AbortController();
    const view = new CloneView(name, () => work.abort());
    this.#importing = work;
    try {
      await this.#close();
      document.title = `Opening ${name}`;
      this.#main.replaceChildren(view.element);
      view.focus();
      const { did, pulled } = await openAccount(name, {
        signal: work.signal,
        onAccount: (account) => view.sayAccount(account),
        onProgress: (progress) => view.sayProgress(progress),
      });
      this.#importing = undefined;
      this.#cloned = pulled;
      if (pulled === undefined) {
        const pull = button('Pull', () => this.#open?.view.pull());
        tell('It is in this browser already.', pull);
      } else {
        this.#tabs.tell({ kind: 'changed' });
      }
      goTo({ did, ...place });
    } catch (error) {
      this.#importing = undefined;
      history.replaceState(undefined, '', addressOf({}));
      await this.#home(isAbort(error) ? undefined : networkNote(error), text);
      if (isAbort(error)) {
        tell('Cancelled. Open it again to continue.');
      }
    }
  }

  #follow(): void {
    if (this.#importing === undefined) {
      this.#turn = this.#turn.then(() => this.#show(readRoute())).catch((error: unknown) => this.#fail(error));
    }
  }

  async #show(route: Route): Promise<void> {
    const { did } = route;
    if (did === undefined) {
      await this.#close();
      await this.#home();
      return;
    }
    if (this.#open?.did !== did) {
      await this.#close();
      const repo = await openKept(did);
      rememberRepo(did);
      const view = new RepoView(repo, {
        imported: this.#imported,
        cloned: this.#cloned,
        onDelete: () => this.#delete(did),
        onNoted: () => this.#tabs.tell({ kind: 'changed' }),
        onSaveFolder: (rev) => this.#saveFolder(did, rev),
      });
      this.#imported = undefined;
      this.#cloned = undefined;
      this.#open = { did, view };
      this.#main.replaceChildren(view.element);
    }
    this.#open?.view.show(route);
  }

  /** `text` is what the field for an account has. */
  async #home(note?: HTMLElement, text?: string): Promise<void> {
    document.title = 'Repository viewer';
    const dids = (await keptNames()).filter((name) => !name.startsWith(INCOMING));
    this.#main.replaceChildren(
      homeView(dids, {
        onFile: (file) => this.#take(file),
        onFolder: (files) => this.#takeIn(() => this.#takeFolder(async () => files)),
        onAccount: (typed) => this.#takeIn(() => this.#openAccount(typed)),
        text,
        note,
      }),
    );
    if (text !== undefined) {
      this.#main.querySelector<HTMLInputElement>('#account')?.focus();
    }
  }

  async #close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.view.close();
  }

  async #saveFolder(did: string, rev: string | undefined): Promise<void> {
    try {
      await saveFolder(did, rev, () => this.#folderOf(did));
    } catch (error) {
      if (isAbort(error)) {
        throw error;
      }
      // The user has left this page, and another is loading.
      await this.#turn;
      this.#fail(error);
    }
  }

  /** Yields the files of a repository. It is closed meanwhile, because the database must not change. */
  async *#folderOf(did: string): AsyncGenerator<FolderEntry, void> {
    await this.#close();
    this.#wait('Saving the folder');
    try {
      yield* keptFolder(did);
    } finally {
      this.#follow();
    }
  }

  #delete(did: string): void {
    this.#do(async () => {
      await this.#close();
      this.#tabs.tell({ kind: 'deleting', did });
      await deleteWhenFree(did);
      forgetAbout(did);
      this.#tabs.tell({ kind: 'changed' });
      tell('Deleted from this browser.');
      goTo({}, { replace: true });
    });
  }

  /** Another tab has imported a repository, or deletes one. */
  #hear(news: News): void {
    if (news.kind === 'deleting' && this.#open?.did === news.did) {
      this.#do(async () => {
        await this.#close();
        tell('Deleted in another tab.');
        goTo({}, { replace: true });
      });
    } else if (news.kind === 'changed' && this.#open === undefined) {
      this.#follow();
    }
  }

  /** Runs a task without waiting for it. */
  #do(run: () => Promise<void>): void {
    run().catch((error: unknown) => this.#fail(error));
  }

  #wait(title: string): void {
    this.#main.replaceChildren(
      element('main', { class: 'sheet' }, element('h1', {}, title), element('progress', { 'aria-label': 'Progress' })),
    );
  }

  /** Shows only an error. Every navigation from there opens what it needs. */
  #fail(error: unknown): void {
    this.#close().catch((also: unknown) => console.warn(also));
    const home = element('a', { class: 'button', href: addressOf({}), 'data-internal': true }, 'All repositories');
    const title = element('h1', { class: 'visually-hidden' }, 'Repository viewer');
    this.#main.replaceChildren(element('main', { class: 'sheet' }, title, errorNote(error, home)));
  }
}
