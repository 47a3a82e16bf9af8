import type { Authenticated } from '../operations/authenticate.ts';
import type { Remote } from '../operations/operation.ts';
import type { Face } from './face.ts';

/** What every call over the network brings along. */
export function remoteOf(face: Face, who: Authenticated | undefined): Remote {
  return {
    openRegistration: face.server.switches.openRegistration,
    mayRegister: who?.mayRegister ?? false,
  };
}
