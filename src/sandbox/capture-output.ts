import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { CommandRequest, OutputSource } from './command.ts';
import { HeadAndTail } from './head-and-tail.ts';
import { OutputFile } from './output-file.ts';

const FILE_LIMIT = 64 * 1024 * 1024;

type CaptureSettings = Pick<
  CommandRequest,
  'maxOutputBytes' | 'outputFile' | 'maxOutputFileBytes' | 'onOutput'
>;

export interface Captured {
  output: string;
  stdoutTail: string;
  outputBytes: number;
  omittedBytes: number;
  outputFileComplete: boolean;
}

/** Takes in what a command writes: the kept part in memory, everything in the file, each piece to the listener. */
export class CaptureOutput {
  readonly #both: HeadAndTail;
  readonly #stdout: HeadAndTail;
  readonly #settings: CaptureSettings;
  #file: OutputFile | undefined;
  #fileComplete = true;

  constructor(settings: CaptureSettings) {
    const head = Math.floor(settings.maxOutputBytes / 4);
    this.#both = new HeadAndTail({ head, tail: settings.maxOutputBytes - head });
    this.#stdout = new HeadAndTail({ head: 0, tail: settings.maxOutputBytes });
    this.#settings = settings;
  }

  /** Says why the output file cannot be made, or nothing. */
  async openFile(): Promise<string | undefined> {
    const { outputFile, maxOutputFileBytes = FILE_LIMIT } = this.#settings;
    if (outputFile === undefined) return undefined;
    try {
      this.#file = await OutputFile.open(outputFile, maxOutputFileBytes);
      return undefined;
    } catch (error) {
      return `The output file ${outputFile} cannot be made: ${error instanceof Error ? error.message : error}`;
    }
  }

  /** Reads a stream to its end. `onChunk` is told of every piece, `onError` of a listener that threw. */
  read(
    stream: Readable,
    source: OutputSource,
    watch: { onChunk(): void; onError(error: unknown): void },
  ): void {
    const decoder = new StringDecoder('utf8');
    const tell = (text: string) => {
      try {
        if (text !== '') this.#settings.onOutput?.(text, source);
      } catch (error) {
        watch.onError(error);
      }
    };
    stream.on('data', (chunk: Buffer) => {
      watch.onChunk();
      this.#both.add(chunk);
      if (source === 'stdout') this.#stdout.add(chunk);
      const full = this.#file?.write(chunk);
      if (full) {
        stream.pause();
        full.then(() => stream.resume());
      }
      tell(decoder.write(chunk));
    });
    stream.on('end', () => tell(decoder.end()));
    stream.on('error', () => {});
  }

  /** Resolves when the file is written. */
  async close(): Promise<void> {
    this.#fileComplete = (await this.#file?.close()) ?? true;
  }

  captured(): Captured {
    return {
      output: this.#both.text(),
      stdoutTail: this.#stdout.text(),
      outputBytes: this.#both.total,
      omittedBytes: this.#both.omitted,
      outputFileComplete: this.#fileComplete,
    };
  }
}
