/** Saves a file for the user. */
import { element } from './element.ts';

/** A writable file, which only some browsers have. https://wicg.github.io/file-system-access/ */
interface SavePicker {
  showSaveFilePicker?(options: {
    suggestedName: string;
  }): Promise<{ createWritable(): Promise<WritableStream<Uint8Array>> }>;
}

/**
 * Saves a stream: directly to a chosen file if the browser can, otherwise as a download, which is collected
 * first. The stream is created on demand. Rejects with an `AbortError` if no file was chosen.
 */
export const saveFile = async (name: string, type: string, stream: () => ReadableStream<Uint8Array>): Promise<void> => {
  const { showSaveFilePicker } = window as SavePicker;
  if (showSaveFilePicker !== undefined) {
    const chosen = await showSaveFilePicker.call(window, { suggestedName: name });
    await stream().pipeTo(await chosen.createWritable());
    return;
  }
  const blob = await new Response(stream(), { headers: { 'content-type': type } }).blob();
  const url = URL.createObjectURL(blob);
  element('a', { href: url, download: name }).click();
  // The download has read the whole blob by then, or keeps it alive.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};

/** Returns the file name for a repository, with its rev: `did-web-alice.example.3l3qo2vutsw2b`. */
export const fileNameOf = (did: string, rev: string | undefined): string =>
  [did.replaceAll(/[^A-Za-z0-9.-]+/g, '-'), ...(rev === undefined ? [] : [rev])].join('.');
