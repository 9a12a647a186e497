/** The form for a new note. */
import { element } from '../../page/element.ts';

/** `onAdd` resolves when the note is stored. Until then the text stays. */
export const composer = (onAdd: (text: string) => Promise<void>): HTMLElement => {
  const field = element('textarea', { id: 'new-note', rows: 3, placeholder: 'Write a note', 'aria-label': 'New note' });
  const submit = element('button', { type: 'submit', class: 'primary' }, 'Add note');
  const add = async (): Promise<void> => {
    const text = field.value.trim();
    if (text === '' || submit.disabled) {
      field.focus();
      return;
    }
    submit.disabled = true;
    try {
      await onAdd(text);
      field.value = '';
    } catch {
      // The page shows the error, and the text stays.
    } finally {
      submit.disabled = false;
      field.focus();
    }
  };
  field.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      void add();
    }
  });
  const onsubmit = (event: Event): void => {
    event.preventDefault();
    void add();
  };
  return element(
    'form',
    { class: 'composer', onsubmit },
    field,
    element('div', { class: 'note-foot' }, element('span', { class: 'quiet hint' }, 'Ctrl+Enter adds it'), submit),
  );
};
