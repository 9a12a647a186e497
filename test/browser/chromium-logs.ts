/** Reads Chromium's log about IndexedDB. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const filesNamed = (folder: string, name: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === name)
    .map((entry) => join(entry.parentPath, entry.name));

/**
 * Whether Chromium has deleted the IndexedDB data of an origin. It sometimes does so after
 * two crashes: killed during a commit of more than 32 KiB, it later appends to the incomplete record at the
 * end of its log; the next start treats that as corruption. (Chromium 156. A log that is truncated there by hand
 * causes it every time.)
 */
export const hasDeletedData = (profile: string): boolean => {
  const logs = filesNamed(join(profile, 'Default/IndexedDB'), 'LOG').map((path) => readFileSync(path, 'utf8'));
  return (
    logs.length > 0 &&
    logs.every((log) => /Creating DB .* since it was missing/.test(log) && !log.includes('Recovering log'))
  );
};
