import { expect, test } from '@jest/globals';
import { satisfiesActor } from '../../src/contract/actors.ts';

const TYPES = ['human', 'supervised_ai', 'automation', 'service_account'] as const;

/** R12: who is demanded, and who may stand there. */
const MAY_STAND = {
  human: ['human'],
  supervised_ai: ['human', 'supervised_ai'],
  automation: ['automation'],
  service_account: ['service_account'],
};

test.each(TYPES)(
  'where the actor has to be %s, only those may stand that R12 names',
  (demanded) => {
    const unproved = [undefined, null, '', 'HUMAN', 'toString', [demanded]];
    const standing = [...TYPES, ...unproved].filter((proved) => satisfiesActor(demanded, proved));
    expect(standing).toEqual(MAY_STAND[demanded]);
  },
);
