/** The content of a simulated disk at one moment: folders with names, and files with bytes. */
import { FileContent } from './file-content.ts';

/** The file or folder of a name. */
export interface DiskNode {
  readonly kind: 'file' | 'folder';
  readonly id: number;
}

export type Names = Map<string, DiskNode>;

export const ROOT: DiskNode = { kind: 'folder', id: 0 };

export class DiskImage {
  readonly folders: Map<number, Names> = new Map([[ROOT.id, new Map()]]);
  readonly files: Map<number, FileContent> = new Map();
  /** A number above those of all nodes of this image and of the images before it. */
  nextId = 1;

  /** Returns an independent disk with the same content. */
  copy(): DiskImage {
    const copy = new DiskImage();
    this.folders.forEach((names, id) => copy.folders.set(id, new Map(names)));
    this.files.forEach((content, id) => copy.files.set(id, content.copy()));
    copy.nextId = this.nextId;
    return copy;
  }

  /** Returns the file or folder at a path from the root, or `undefined`. */
  find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = ROOT;
    for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
      node = node?.kind === 'folder' ? this.folders.get(node.id)?.get(name) : undefined;
    }
    return node;
  }

  /** Returns whether a name in any folder refers to this node. */
  hasName(id: number): boolean {
    for (const names of this.folders.values()) {
      for (const node of names.values()) {
        if (node.id === id) {
          return true;
        }
      }
    }
    return false;
  }

  /** Returns every path below a folder, sorted. Folders end with a slash. */
  paths(folder = ''): string[] {
    const node = this.find(folder);
    const names = node?.kind === 'folder' ? [...this.folders.get(node.id)!] : [];
    return names
      .flatMap(([name, { kind }]) =>
        kind === 'file' ? [`${folder}/${name}`] : [`${folder}/${name}/`, ...this.paths(`${folder}/${name}`)],
      )
      .sort();
  }

  /** Returns the bytes of a file, or `undefined` if the file is missing. */
  read(path: string): Uint8Array<ArrayBuffer> | undefined {
    const node = this.find(path);
    return node?.kind === 'file' ? this.files.get(node.id)!.bytes() : undefined;
  }

  /** Writes a synced file. Its folder must exist. */
  leave(path: string, bytes: Uint8Array): void {
    const id = this.nextId++;
    const content = new FileContent();
    content.write(bytes, 0);
    this.files.set(id, content);
    this.#link(path, { kind: 'file', id });
  }

  leaveFolder(path: string): void {
    const id = this.nextId++;
    this.folders.set(id, new Map());
    this.#link(path, { kind: 'folder', id });
  }

  #link(path: string, node: DiskNode): void {
    const [folder, name] = splitPath(path);
    this.folders.get(this.find(folder)!.id)!.set(name, node);
  }
}

/** Splits a path into its folder and its last name. */
export const splitPath = (path: string): readonly [folder: string, name: string] => {
  const at = path.lastIndexOf('/');
  return [path.slice(0, Math.max(at, 0)), path.slice(at + 1)];
};
