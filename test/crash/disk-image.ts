/** The content of a simulated disk at one moment: folders with names, and files with bytes. */
import { FileContent } from './file-content.ts';

/** What a name stands for. */
export interface DiskNode {
  readonly kind: 'file' | 'folder';
  readonly id: number;
}

export type Names = Map<string, DiskNode>;

export const ROOT: DiskNode = { kind: 'folder', id: 0 };

export class DiskImage {
  readonly folders: Map<number, Names> = new Map([[ROOT.id, new Map()]]);
  readonly files: Map<number, FileContent> = new Map();
  /** No node of this image, nor of any that came before it, has this number or a higher one. */
  nextId = 1;

  /** A disk of its own with the same content. */
  copy(): DiskImage {
    const copy = new DiskImage();
    this.folders.forEach((names, id) => copy.folders.set(id, new Map(names)));
    this.files.forEach((content, id) => copy.files.set(id, content.copy()));
    copy.nextId = this.nextId;
    return copy;
  }

  /** What a path from the root leads to, or `undefined`. */
  find(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = ROOT;
    for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
      node = node?.kind === 'folder' ? this.folders.get(node.id)?.get(name) : undefined;
    }
    return node;
  }

  /** Whether a name in some folder stands for this node. */
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

  /** Every path below a folder, folders with a stroke at their end, in order. */
  paths(folder = ''): string[] {
    const node = this.find(folder);
    const names = node?.kind === 'folder' ? [...this.folders.get(node.id)!] : [];
    return names
      .flatMap(([name, { kind }]) =>
        kind === 'file' ? [`${folder}/${name}`] : [`${folder}/${name}/`, ...this.paths(`${folder}/${name}`)],
      )
      .sort();
  }

  /** The bytes of a file, or `undefined` when the file is missing. */
  read(path: string): Uint8Array<ArrayBuffer> | undefined {
    const node = this.find(path);
    return node?.kind === 'file' ? this.files.get(node.id)!.bytes() : undefined;
  }

  /** Puts a file on the disk as if it had been there for years. Its folder has to be there. */
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

/** A path's folder and its last name. */
export const splitPath = (path: string): readonly [folder: string, name: string] => {
  const at = path.lastIndexOf('/');
  return [path.slice(0, Math.max(at, 0)), path.slice(at + 1)];
};
