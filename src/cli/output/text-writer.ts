import { SwarmError } from '../../contract/errors.ts';

/** What is needed of process.stdout and process.stderr. */
export interface TextSink {
  write(text: string, done: (error?: Error | null) => void): boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
  columns?: number | undefined;
}

export interface TextWriter {
  write(text: string): void;
  /** Resolves when all of it has left; throws where it could not, other than by a reader that went away. */
  flush(): Promise<void>;
  columns: number | undefined;
}

/** Writes in order. A closed pipe (`gitswarm log | head`) is no failure: the rest is dropped quietly. */
export function textWriter(sink: TextSink): TextWriter {
  let failure: Error | undefined;
  let written: Promise<void> = Promise.resolve();
  const note = (error: Error | null | undefined) => {
    if (error) failure ??= error;
  };
  sink.on('error', note);
  return {
    columns: sink.columns,
    write: (text) => {
      if (failure || text === '') return;
      const gone = new Promise<void>((resolve) => {
        sink.write(text, (error) => {
          note(error);
          resolve();
        });
      });
      written = Promise.all([written, gone]).then(() => undefined);
    },
    flush: async () => {
      await written;
      if (failure === undefined || isClosedPipe(failure)) return;
      throw new SwarmError('internal', `The output could not be written: ${failure.message}`, {
        cause: failure,
      });
    },
  };
}

function isClosedPipe(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
}
