/** A `Blob` over a file of a simulated disk. As on a real disk, it is read only on demand. */
export class SimulatedBlob extends Blob {
  readonly #read: () => Uint8Array<ArrayBuffer>;

  /** @param read Reads the file. Its errors are those of the disk. */
  constructor(size: number, read: () => Uint8Array<ArrayBuffer>) {
    super([new Uint8Array(size)]);
    this.#read = read;
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const pull = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>): void => {
      try {
        controller.enqueue(this.#read());
        controller.close();
      } catch (cause) {
        // The error of a platform's `Blob`, which differs from the errors of its files.
        controller.error(Object.assign(new DOMException('The blob could not be read', 'NotReadableError'), { cause }));
      }
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }
}
