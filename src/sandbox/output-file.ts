import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';

/** A file that takes output up to a limit. A full disk ends the file, not the command. */
export class OutputFile {
  readonly #stream: WriteStream;
  #left: number;
  #complete = true;

  private constructor(stream: WriteStream, limitBytes: number) {
    this.#stream = stream;
    this.#left = limitBytes;
    stream.on('error', () => {
      this.#complete = false;
    });
  }

  /** Rejects where the file cannot be made. Only the owner may read it: output can hold secrets. */
  static async open(path: string, limitBytes: number): Promise<OutputFile> {
    const stream = createWriteStream(path, { flags: 'w', mode: 0o600 });
    await once(stream, 'open');
    return new OutputFile(stream, limitBytes);
  }

  /** A promise where the writer should wait before it sends more. */
  write(chunk: Buffer): Promise<void> | undefined {
    if (!this.#complete) return undefined;
    if (chunk.length > this.#left) {
      this.#complete = false;
      this.#stream.write(chunk.subarray(0, this.#left));
      this.#stream.write('\n… the output went on, this file is full …\n');
      return undefined;
    }
    this.#left -= chunk.length;
    if (this.#stream.write(chunk)) return undefined;
    return new Promise((resolve) => {
      const go = () => {
        this.#stream.off('drain', go).off('close', go);
        resolve();
      };
      this.#stream.on('drain', go).on('close', go);
    });
  }

  /** Resolves when everything is written: true where nothing is missing. */
  async close(): Promise<boolean> {
    if (!this.#stream.closed) {
      await new Promise<void>((resolve) => {
        this.#stream.once('close', resolve);
        this.#stream.end();
      });
    }
    return this.#complete;
  }
}
