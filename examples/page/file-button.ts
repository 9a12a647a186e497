/** A button that opens a file dialog. */
import { element } from './element.ts';

export const fileButton = (label: string, onFile: (file: File) => void, kind: string = ''): HTMLElement => {
  const onchange = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    // So that the same file can be chosen again.
    input.value = '';
    if (file !== undefined) {
      onFile(file);
    }
  };
  // No `accept`: systems that do not know the extension would disable the files.
  return element('label', { class: `button file ${kind}`.trim() }, label, element('input', { type: 'file', onchange }));
};
