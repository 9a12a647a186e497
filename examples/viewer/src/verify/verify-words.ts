/** Formats the result of a verification. */
import type { Fault, ImportResult, VerifyReport } from 'pdsdb';
import { element } from '../../../page/element.ts';
import { countOf } from '../../../page/quantities.ts';
import { addressOf } from '../route.ts';

/** The largest number of shown faults. */
const MAX_FAULTS = 100;

const SIGNATURES: Readonly<Record<VerifyReport['signature'], string>> = {
  invalid: 'The signature is not by this key.',
  none: 'The newest commit is not signed: anyone with the file could have changed it.',
  unchecked: 'It is signed. Whether by the account’s own key was not checked: that takes the key.',
  valid: 'The signature is by this key.',
};

const faultItem = (fault: Fault, did: string): HTMLElement => {
  const [collection, rkey] = fault.path?.split('/') ?? [];
  const place =
    collection !== undefined && rkey !== undefined
      ? element('a', { href: addressOf({ did, collection, rkey }), 'data-internal': true }, fault.path ?? '')
      : fault.path;
  return element('li', {}, ...(place === undefined ? [] : [place, ': ']), fault.message);
};

/** Faults as a list, each with a link to its record. */
export const faultList = (
  { faults, faultCount }: Pick<VerifyReport, 'faultCount' | 'faults'>,
  did: string,
): HTMLElement => {
  const shown = faults.slice(0, MAX_FAULTS).map((fault) => faultItem(fault, did));
  const rest = faultCount - shown.length;
  return element(
    'ul',
    { class: 'faults' },
    ...shown,
    rest > 0 ? element('li', {}, `and ${countOf(rest, 'more', 'more')}`) : undefined,
  );
};

/** What the result says about the signature. `isOfAccount`: whether the key is that of the DID document. */
const signatureWords = (signature: VerifyReport['signature'], isOfAccount: boolean): string => {
  if (isOfAccount && signature === 'valid') {
    return 'The newest commit is verified with the key of the DID document.';
  }
  return isOfAccount && signature === 'invalid'
    ? 'The signature is not by the key of the DID document.'
    : SIGNATURES[signature];
};

/** Returns the result of `verify` as a notice. `isOfAccount`: whether the key is that of the DID document. */
export const verifyNote = (report: VerifyReport, did: string, isOfAccount: boolean): HTMLElement => {
  const { ok, faultCount, signature, records, blocks, blobs } = report;
  const checked = `${countOf(blocks, 'block')}, ${countOf(records, 'record')} and ${countOf(blobs, 'blob')} were read and checked against their hashes, and the tree against its rules.`;
  return element(
    'div',
    { class: `note ${ok ? 'good' : 'bad'}`, role: 'status' },
    element('h2', {}, ok ? 'Everything here is sound.' : `${countOf(faultCount, 'fault')} found.`),
    element('p', {}, checked),
    element('p', {}, signatureWords(signature, isOfAccount)),
    ok ? undefined : faultList(report, did),
  );
};

/** Summarizes the result of an import in one sentence. */
export const importWords = ({ created, updated, deleted, unchanged }: ImportResult): string => {
  if (updated + deleted + unchanged === 0) {
    return `${countOf(created, 'record')} imported and checked.`;
  }
  const changes = [
    created > 0 ? `${countOf(created, 'record')} new` : undefined,
    updated > 0 ? `${countOf(updated, 'record')} changed` : undefined,
    deleted > 0 ? `${countOf(deleted, 'record')} deleted` : undefined,
  ].filter((words) => words !== undefined);
  return changes.length === 0 ? 'Nothing in it is new.' : `Brought up to date: ${changes.join(', ')}.`;
};
