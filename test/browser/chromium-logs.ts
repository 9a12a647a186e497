/** What Chromium writes down of its IndexedDB. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const filesNamed = (folder: string, name: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === name)
    .map((entry) => join(entry.parentPath, entry.name));

/**
 * Whether Chromium has thrown away what an origin keeps in IndexedDB, and begun anew. It does that now and then after
 * two crashes: killed in the middle of a commit of more than 32 KiB, it goes on writing behind the torn record at the
 * end of its log; the next start takes that for corruption. (Chromium 156. A log cut off at such a place by hand brings
 * it about each time.)
 */
export const hasBegunAnew = (profile: string): boolean => {
  const logs = filesNamed(join(profile, 'Default/IndexedDB'), 'LOG').map((path) => readFileSync(path, 'utf8'));
  return (
    logs.length > 0 &&
    logs.every((log) => /Creating DB .* since it was missing/.test(log) && !log.includes('Recovering log'))
  );
};
