/** Formats numbers, sizes and dates for people. */

const integers = new Intl.NumberFormat('en');
const dates = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const days = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium' });
const times = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });

export const formatCount = (count: number): string => integers.format(count);

/** `1 record`, `1,200 records`. */
export const countOf = (count: number, singular: string, plural: string = `${singular}s`): string =>
  `${formatCount(count)} ${count === 1 ? singular : plural}`;

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** Three digits at most: `812 bytes`, `4.7 MB`. */
export const formatBytes = (bytes: number): string => {
  let size = bytes;
  let unit = 0;
  while (size >= 999.5 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return unit === 0 ? countOf(bytes, 'byte') : `${size < 9.95 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`;
};

/** `14 Mar 2026, 10:22`. */
export const formatDate = (date: Date): string => dates.format(date);

/** The time if it was today, otherwise the day. */
export const formatShortDate = (date: Date): string =>
  date.toDateString() === new Date().toDateString() ? times.format(date) : days.format(date);

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/** Parses a date of a record, or returns `undefined`. */
export const dateOf = (value: unknown): Date | undefined => {
  if (typeof value !== 'string' || !TIMESTAMP.test(value)) {
    return undefined;
  }
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
};
