/** Files and folders that are dropped anywhere on the page. */

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;

export interface DropOptions {
  readonly onFile: (file: File) => void;
  readonly onFolder: (folder: FileSystemDirectoryEntry) => void;
}

/** Calls back with what is dropped, the first of several; while something hangs over the page, the page says so. */
export const onDrop = ({ onFile, onFolder }: DropOptions): void => {
  const show = (isOver: boolean): void => {
    document.documentElement.classList.toggle('dropping', isOver);
  };
  addEventListener('dragover', (event) => {
    if (hasFiles(event)) {
      event.preventDefault();
      show(true);
    }
  });
  addEventListener('dragleave', (event) => {
    // From one element of the page to the next there is somewhere to go; out of the page there is not.
    if (event.relatedTarget === null) {
      show(false);
    }
  });
  addEventListener('drop', (event) => {
    if (hasFiles(event)) {
      event.preventDefault();
      show(false);
      const entry = event.dataTransfer?.items[0]?.webkitGetAsEntry();
      const file = event.dataTransfer?.files[0];
      if (entry?.isDirectory === true) {
        onFolder(entry as FileSystemDirectoryEntry);
      } else if (file !== undefined) {
        onFile(file);
      }
    }
  });
};
