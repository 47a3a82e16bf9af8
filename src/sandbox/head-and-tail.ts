/** Keeps the first and the last bytes of a stream of any length in constant memory, and counts all of them. */
export class HeadAndTail {
  readonly #head: Buffer;
  readonly #ring: Buffer;
  #headBytes = 0;
  #tailBytes = 0;
  total = 0;

  constructor(size: { head: number; tail: number }) {
    this.#head = Buffer.alloc(size.head);
    this.#ring = Buffer.alloc(size.tail);
  }

  get omitted(): number {
    return Math.max(0, this.#tailBytes - this.#ring.length);
  }

  add(chunk: Buffer): void {
    this.total += chunk.length;
    const taken = chunk.copy(this.#head, this.#headBytes);
    this.#headBytes += taken;
    this.#addToTail(chunk.subarray(taken));
  }

  /** The kept bytes as text; what is not UTF-8 becomes U+FFFD, and no character is cut in two. */
  text(): string {
    const head = this.#head.subarray(0, this.#headBytes);
    const tail = this.#tail();
    if (this.omitted === 0) return decode(Buffer.concat([head, tail]));
    const start = head.length === 0 ? '' : `${decodeStart(head)}\n… ${this.omitted} bytes left out …\n`;
    return start + decodeEnd(tail);
  }

  #addToTail(chunk: Buffer): void {
    const size = this.#ring.length;
    const kept = chunk.subarray(Math.max(0, chunk.length - size));
    const start = size === 0 ? 0 : (this.#tailBytes + chunk.length - kept.length) % size;
    const fits = kept.copy(this.#ring, start);
    kept.copy(this.#ring, 0, fits);
    this.#tailBytes += chunk.length;
  }

  #tail(): Buffer {
    if (this.#tailBytes <= this.#ring.length) return this.#ring.subarray(0, this.#tailBytes);
    const start = this.#tailBytes % this.#ring.length;
    return Buffer.concat([this.#ring.subarray(start), this.#ring.subarray(0, start)]);
  }
}

function decode(bytes: Buffer): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function decodeStart(bytes: Buffer): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true });
}

function decodeEnd(bytes: Buffer): string {
  let start = 0;
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++;
  return decode(bytes.subarray(start));
}
