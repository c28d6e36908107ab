/** A call that is cancelled while what its server asks is being decided, at each of its turns. */
import { expect, test } from '@jest/globals';
import { asking, FORM, type Asking } from './support/asking.ts';
import { allow } from './support/scripted.ts';

const ASK = 'elicitation/create';
const CANCEL = {
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId: 5 },
};

async function after(turns: number, act: () => void): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
  act();
}

/** What became of the question, by the client, the evidence and the server. */
async function outcome(turns: number): Promise<unknown> {
  let armed = false;
  const rig: Asking = await asking({
    decide: ({ resource }) => {
      if (resource.type !== 'mcp_server') return allow();
      if (armed) void after(turns, () => rig.wire.give(CANCEL));
      return allow({ evaluation_id: armed ? 'e-asked' : 'e-later' });
    },
  });
  const related = await rig.hold(5);
  const told = () => rig.wire.messages.filter(({ id }) => id === 'q1').length;
  armed = true;
  await rig.ask('q1', ASK, FORM, { relatedRequestId: related });
  const [client, server] = [told(), rig.heard.filter(({ id }) => id === 'q1')];
  const reports = rig.parts.decisionPoint.reports.filter(
    ({ evaluation_id }) => evaluation_id === 'e-asked',
  );
  armed = false;
  // What was refused is over: the same id may be used again.
  if (client === 0) {
    await rig.ask('q1', ASK, FORM);
    expect(told()).toBe(1);
  }
  rig.finish();
  return {
    client: client === 1 ? 'told' : 'not told',
    evidence: reports.map(({ status }) => status),
    server: server.map(
      ({ error }) => (error as { data: { reason_code: string } }).data.reason_code,
    ),
  };
}

test('client, evidence and server are told of the same outcome', async () => {
  const outcomes = new Set<string>();
  for (let turns = 0; turns < 24; turns += 1) outcomes.add(JSON.stringify(await outcome(turns)));
  const refused = { client: 'not told', server: ['POLICY_UNAVAILABLE'] };
  expect([...outcomes].map((text) => JSON.parse(text) as unknown)).toEqual([
    { ...refused, evidence: [] },
    { ...refused, evidence: ['cancelled'] },
    { client: 'told', evidence: ['executed'], server: [] },
  ]);
});
