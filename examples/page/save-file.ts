/** Hands a file to whoever sits in front of the page. */
import { element } from './element.ts';

/** What some browsers have: a file that is written to as it comes. https://wicg.github.io/file-system-access/ */
interface SavePicker {
  showSaveFilePicker?(options: {
    suggestedName: string;
  }): Promise<{ createWritable(): Promise<WritableStream<Uint8Array>> }>;
}

/**
 * Saves what a stream gives: straight to a file that is chosen where the browser can, else as a download, which is put
 * together first. The stream is made once it is needed. Rejects with an `AbortError` when no file was chosen.
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
  // The download has read the whole blob by then, or holds on to it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};

/** The name of a file for a repository, which says how new it is: `did-web-alice.example.3l3qo2vutsw2b`. */
export const fileNameOf = (did: string, rev: string | undefined): string =>
  [did.replaceAll(/[^A-Za-z0-9.-]+/g, '-'), ...(rev === undefined ? [] : [rev])].join('.');
