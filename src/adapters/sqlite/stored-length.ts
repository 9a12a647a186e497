/** The largest key and value of a row, and SQL that reads no longer ones. */
import { MAX_STORED_VALUE } from '../../core/storage/layout.ts';

/** The largest number of bytes of a key. The longest key that this library writes is a name of 256 bytes. */
export const MAX_STORED_KEY = 8192;

/**
 * SQL for the value of a column, or NULL if it is too long. SQLite reads the length from the head of the row, so a long
 * value is not read.
 */
export const ofLength = (column: 'key' | 'value'): string =>
  `case when octet_length(${column}) <= ${column === 'key' ? MAX_STORED_KEY : MAX_STORED_VALUE} then ${column} end`;
