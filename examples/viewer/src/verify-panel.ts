/** Verifies the repository on request, and shows the result. */
import type { Progress, Repo } from 'pdsdb';
import { toDidKey } from 'pdsdb';
import { button, element } from '../../page/element.ts';
import { errorNote } from '../../page/error-note.ts';
import { isAbort } from '../../page/plain-words.ts';
import { countOf } from '../../page/quantities.ts';
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

export const verifyPanel = (repo: Repo): HTMLElement => {
  const outcome = element('div', { class: 'outcome' });
  const key = element('input', {
    type: 'text',
    id: 'account-key',
    placeholder: 'did:key:…',
    autocomplete: 'off',
    spellcheck: 'false',
    'aria-describedby': 'account-key-fault',
  });
  const fault = element('p', { id: 'account-key-fault', class: 'danger', role: 'alert' });

  const run = async (work: AbortController): Promise<void> => {
    const status = element('p', { class: 'quiet', role: 'status' }, 'Checking');
    const stop = button('Stop', () => work.abort(), { class: 'plain' });
    outcome.replaceChildren(
      element('progress', { 'aria-label': 'Progress' }),
      element('div', { class: 'actions' }, status, stop),
    );
    const given = key.value.trim();
    const onProgress = ({ blocks, records }: Progress): void => {
      status.textContent = `${countOf(blocks, 'block')}, ${countOf(records, 'record')} checked`;
    };
    try {
      const report = await repo.verify({ signal: work.signal, onProgress, ...(given === '' ? {} : { key: given }) });
      outcome.replaceChildren(verifyNote(report, repo.did));
    } catch (error) {
      outcome.replaceChildren(isAbort(error) ? element('p', { class: 'quiet' }, 'Stopped.') : errorNote(error));
    }
  };

  const start = button('Verify', () => {
    const isKey = key.value.trim() === '' || isDidKey(key.value);
    key.setAttribute('aria-invalid', String(!isKey));
    fault.textContent = isKey ? '' : 'That is not a did:key.';
    if (!isKey) {
      key.focus();
      return;
    }
    start.disabled = true;
    run(new AbortController()).finally(() => (start.disabled = false));
  });
  return element(
    'section',
    {},
    element('h2', {}, 'Is it sound?'),
    element(
      'p',
      { class: 'quiet' },
      'Reads everything that is kept here and checks it against its hashes. With the account’s key, the signature too.',
    ),
    element('label', { for: 'account-key', class: 'quiet' }, 'The account’s public key, if you have it'),
    element('div', { class: 'inline' }, key, start),
    fault,
    outcome,
  );
};
