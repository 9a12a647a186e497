/** Summarizes a record in one line, for lists. */
import type { RecordValue } from 'pdsdb';
import { dateOf } from '../../page/quantities.ts';
import type { Row } from './list/rows.ts';

/** Fields with text of people, most important first. */
const TELLING = ['text', 'title', 'displayName', 'name', 'description', 'value', 'status'];

/** The longest text that fits into a row. */
const MAX_LENGTH = 240;

const textIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

const subjectOf = (value: RecordValue): string | undefined => {
  const subject = value['subject'];
  const uri = typeof subject === 'object' && subject !== null && 'uri' in subject ? subject.uri : subject;
  return textIn(uri);
};

const describe = (value: RecordValue): string => {
  const words = TELLING.map((field) => textIn(value[field])).find((text) => text !== undefined) ?? subjectOf(value);
  return (
    words ??
    Object.keys(value)
      .filter((key) => !key.startsWith('$'))
      .join(', ')
  );
};

/** Returns the summary of a record in one line. */
export const summaryOf = ({ value, fault, found }: Row): string => {
  const text = value === undefined ? `Not readable: ${fault ?? 'no value'}` : (found ?? describe(value));
  return text.slice(0, MAX_LENGTH).replaceAll(/\s+/g, ' ') || 'Empty';
};

/** Returns the creation time in a record. */
export const madeAt = ({ value }: Row): Date | undefined => dateOf(value?.['createdAt'] ?? value?.['indexedAt']);
