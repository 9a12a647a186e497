/** Verifies the repository on request, and shows the result. */
import type { Progress, Repo } from 'pdsdb';
import { toDidKey } from 'pdsdb';
import type { Account } from 'pdsdb/sync';
import { resolveAccount } from 'pdsdb/sync';
import { button, element } from '../../../page/element.ts';
import { errorNote } from '../../../page/error-note.ts';
import { networkNote } from '../../../page/network-words.ts';
import { isAbort } from '../../../page/plain-words.ts';
import { countOf } from '../../../page/quantities.ts';
import { networkOptions } from '../account/hosts.ts';
import { verifyNote } from './verify-words.ts';

/** Accepts a did:key, and the forms of a key in a DID document. */
const isDidKey = (text: string): boolean => {
  try {
    toDidKey(text);
    return true;
  } catch {
    // Any error means that the text is not a key.
    return false;
  }
};

export class VerifyPanel {
  readonly element: HTMLElement;
  readonly #repo: Repo;
  readonly #outcome: HTMLElement = element('div', { class: 'outcome' });
  readonly #key: HTMLInputElement = element('input', {
    type: 'text',
    id: 'account-key',
    placeholder: 'did:key:…',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'account-key-fault',
  });
  readonly #label: HTMLElement = element(
    'label',
    { for: 'account-key', class: 'quiet' },
    'The account’s public key, if you have it',
  );
  readonly #fault: HTMLElement = element('p', { id: 'account-key-fault', class: 'danger', role: 'alert' });
  /** The key of the DID document, if it was looked up. */
  #known = '';

  constructor(repo: Repo) {
    this.#repo = repo;
    const start = this.#working('Verify', async () => {
      if (this.#isKeyValid()) {
        await this.#verify(new AbortController());
      }
    });
    const lookUp = this.#working('Look up the key', () => this.#lookUp());
    this.element = element(
      'section',
      {},
      element('h2', {}, 'Is it sound?'),
      element(
        'p',
        { class: 'quiet' },
        'Reads everything that is kept here and checks it against its hashes. With the account’s key, the signature too.',
      ),
      this.#label,
      element('div', { class: 'inline' }, this.#key, start),
      this.#fault,
      element('div', { class: 'actions' }, lookUp),
      this.#outcome,
    );
  }

  /** Sets the key of the DID document, unless the user has typed another one. */
  setAccount(account: Pick<Account, 'key'> | undefined): void {
    const before = this.#known;
    this.#known = account?.key ?? before;
    if (this.#known !== '') {
      this.#label.textContent = 'The account’s public key, from its DID document';
      this.#key.value = this.#key.value === before ? this.#known : this.#key.value;
    }
  }

  #working(label: string, run: () => Promise<void>): HTMLButtonElement {
    const made = button(label, () => {
      made.disabled = true;
      run().finally(() => (made.disabled = false));
    });
    return made;
  }

  #isKeyValid(): boolean {
    const isKey = this.#key.value.trim() === '' || isDidKey(this.#key.value);
    this.#key.setAttribute('aria-invalid', String(!isKey));
    this.#fault.textContent = isKey ? '' : 'That is not a did:key.';
    if (!isKey) {
      this.#key.focus();
    }
    return isKey;
  }

  async #verify(work: AbortController): Promise<void> {
    const status = element('p', { class: 'quiet', role: 'status' }, 'Checking');
    const stop = button('Stop', () => work.abort(), { class: 'plain' });
    this.#outcome.replaceChildren(
      element('progress', { 'aria-label': 'Progress' }),
      element('div', { class: 'actions' }, status, stop),
    );
    const key = this.#key.value.trim();
    const onProgress = ({ blocks, records }: Progress): void => {
      status.textContent = `${countOf(blocks, 'block')}, ${countOf(records, 'record')} checked`;
    };
    try {
      const report = await this.#repo.verify({ signal: work.signal, onProgress, ...(key === '' ? {} : { key }) });
      const isOfAccount = key !== '' && key === this.#known;
      this.#outcome.replaceChildren(verifyNote(report, this.#repo.did, isOfAccount));
    } catch (error) {
      this.#outcome.replaceChildren(isAbort(error) ? element('p', { class: 'quiet' }, 'Stopped.') : errorNote(error));
    }
  }

  /** Asks for the DID document. */
  async #lookUp(): Promise<void> {
    try {
      const account = await resolveAccount(this.#repo.did, networkOptions());
      this.setAccount(account);
      this.#key.value = account.key;
      const said = element('p', { class: 'quiet', role: 'status' }, 'This is the key in the DID document now.');
      this.#outcome.replaceChildren(said);
    } catch (error) {
      this.#outcome.replaceChildren(networkNote(error));
    }
  }
}
