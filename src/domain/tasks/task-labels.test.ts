import { expect, it } from 'vitest';
import {
  conflictLabel,
  culpritLabel,
  evictionLabel,
  isReservedLabel,
  labelFor,
  refuseReservedLabels,
} from './task-labels.ts';

it.each([conflictLabel({ id: '1' }), evictionLabel({ id: '1' }), culpritLabel({ id: '1' }), labelFor('1')])(
  '%s is given by the program alone, and may stay where it is',
  (label) => {
    expect(isReservedLabel(label)).toBe(true);
    expect(() => refuseReservedLabels(['ui', label])).toThrow(`"${label}" is given by GitSwarm alone`);
    expect(() => refuseReservedLabels(['ui', label], [label])).not.toThrow();
  },
);

it.each(['conflict', 'fix', 'forward', 'on:fire'])('%s is anybody’s', (label) => {
  expect(() => refuseReservedLabels([label])).not.toThrow();
});
