import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { isPublicAddress } from '../base/public-address.ts';
import { whyNotUrl } from '../domain/notifications/delivery-rules.ts';

export interface Message {
  url: string;
  body: string;
  headers: Record<string, string>;
}

/** failed: worth another try; refused: never to be tried again. */
export type Sent = { kind: 'delivered' } | { kind: 'failed' | 'refused'; error: string };

const TIMEOUT_MS = 10_000;

/**
 * Posts a message to a webhook. The addresses a name stands for are looked at before anything is connected, and the
 * connection goes to one that was looked at, so that no name can lead to this machine or its network. Redirects are not
 * followed, and of the answer only the status is read.
 */
export async function sendWebhook(
  message: Message,
  options: { allowPrivate: boolean; resolve?: Resolve },
): Promise<Sent> {
  const why = whyNotUrl(message.url, options.allowPrivate);
  if (why !== null) return { kind: 'refused', error: why };
  const url = new URL(message.url);
  const send = url.protocol === 'https:' ? secureRequest : plainRequest;
  return new Promise<Sent>((done) => {
    const call = send(
      url,
      {
        method: 'POST',
        headers: {
          ...message.headers,
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(message.body),
          'User-Agent': 'GitSwarm',
        },
        timeout: TIMEOUT_MS,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        agent: false,
        ...(options.allowPrivate ? {} : { lookup: publicLookup(options.resolve ?? lookup) }),
      },
      (response) => {
        response.destroy();
        done(verdictOn(response.statusCode ?? 0));
      },
    );
    call.on('error', (error) =>
      done(error instanceof NotPublic ? { kind: 'refused', error: error.message } : failed(error.message)),
    );
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    call.end(message.body);
  });
}

function verdictOn(status: number): Sent {
  if (status >= 200 && status < 300) return { kind: 'delivered' };
  if (status === 410) return { kind: 'refused', error: 'the receiver is gone (410)' };
  return failed(`the receiver answered ${status}`);
}

function failed(error: string): Sent {
  return { kind: 'failed', error: error.slice(0, 500) };
}

class NotPublic extends Error {}

/** What finds all addresses of a name. */
export type Resolve = (
  name: string,
  options: LookupAllOptions,
  answer: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Resolves a name as usual, but to nothing where any of its addresses is not public. */
const publicLookup =
  (resolve: Resolve): LookupFunction =>
  (name, options, answer) => {
    resolve(name, { ...options, all: true }, (error, addresses) => {
      if (error) return answer(error, '', 0);
      const closed = addresses.find(({ address }) => !isPublicAddress(address));
      const [first] = addresses;
      if (closed || !first) {
        return answer(
          new NotPublic(`${name} stands for ${closed?.address ?? 'no address'}, which is not public`),
          '',
          0,
        );
      }
      if (options.all) return answer(null, addresses);
      return answer(null, first.address, first.family);
    });
  };
