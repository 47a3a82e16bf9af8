import { SwarmError } from '../contract/errors.ts';

/** The address of a server as it is kept, without a slash at its end. A token goes over the network only encrypted. */
export function serverUrl({ server, insecure = false }: { server: string; insecure?: boolean }): string {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new SwarmError('usage', `"${server}" is not the address of a server.`, {
      fix: 'It looks like https://swarm.example, or http://127.0.0.1:7433.',
    });
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !insecure)
    throw new SwarmError('usage', `The token would go to ${url.host} in the clear.`, {
      fix: 'Use https, or say that it may: --insecure',
    });
  return `${url.origin}${url.pathname}`.replace(/\/+(api\/v1\/?)?$/, '');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
