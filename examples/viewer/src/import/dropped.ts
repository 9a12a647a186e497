/** Handles files and folders that are dropped on the page. */

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true;

export interface DropOptions {
  readonly onFile: (file: File) => void;
  readonly onFolder: (folder: FileSystemDirectoryEntry) => void;
}

/** Calls back with the first dropped file or folder. The page shows a hint while it is dragged. */
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
    // `relatedTarget` is null only when the pointer leaves the page.
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
