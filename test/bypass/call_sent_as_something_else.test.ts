/**
 * A call that is no request to the guard, and one to its server: a notification, no version, no
 * id.
 */
import { describe } from '@jest/globals';
import { callOf } from './support/bank.ts';
import { guardedLenients, naiveLenient } from './support/lenient.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { guardedDoors, type Said } from './support/targets.ts';

const call = callOf('secret') as Said;
const { id: _id, ...told } = call;
const { jsonrpc: _version, ...bare } = call;

const SHAPES: [string, unknown][] = [
  ['a notification', told],
  ['of no id', { ...call, id: null }],
  ['of an id that is an object', { ...call, id: { of: 'attack' } }],
  ['of an id that is true', { ...call, id: true }],
  ['of a fraction', { ...call, id: 1.5 }],
  ['of no version', bare],
  ['of another version', { ...call, jsonrpc: '1.0' }],
  ['with a member more', { ...call, priority: 'high' }],
];

/** A request has a version and an id, or it is none. */
const readsRequests = {
  in: (message: Said): unknown => {
    const { jsonrpc, id, params } = message;
    const request = jsonrpc === '2.0' && (typeof id === 'string' || Number.isInteger(id));
    return request && !('priority' in message) && params?.name === 'secret' ? undefined : message;
  },
};

describe.each(SHAPES)('a forbidden call: %s', (_what, message) => {
  const attack: Attack = ({ say }) => say(JSON.stringify(message));
  bypass(attack, {
    held: { ...guardedLenients(), ...guardedDoors() },
    breached: { 'a guard of requests': naiveLenient(readsRequests) },
  });
});
