/** A `Blob` over a file of a simulated disk. As on a real one, nothing is read before somebody asks for it. */
export class SimulatedBlob extends Blob {
  readonly #read: () => Uint8Array<ArrayBuffer>;

  /** @param read Throws what the disk throws. */
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
        // In a platform's words, which are not those of its files.
        controller.error(Object.assign(new DOMException('The blob could not be read', 'NotReadableError'), { cause }));
      }
    };
    return new ReadableStream({ pull }, { highWaterMark: 0 });
  }
}
