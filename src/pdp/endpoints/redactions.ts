/**
 * `POST /v1/evidence/redactions`: removes what records seal. The answer comes when it is removed
 * for good; whoever does not wait for it asks again. A caller that is bound to tenants reaches the
 * records of these only.
 */
import { VALIDATORS } from '../../contract/validate.ts';
import { requestInvalid } from '../../decision/request.ts';
import { servesTenant } from '../../decision/tenancy.ts';
import { PortcullisError } from '../../errors.ts';
import type { Answer, Exchange } from '../exchange.ts';

export async function answerRedaction({ evidence, body, caller }: Exchange): Promise<Answer> {
  const read = VALIDATORS.redaction_request(body);
  if (!read.ok) throw requestInvalid(read.fault);
  const { by, only } = read.value;
  if (by.tenant !== undefined && !servesTenant(caller, by.tenant)) {
    const message = 'the caller may redact records of its own tenants only';
    throw new PortcullisError('UNAUTHENTICATED', message);
  }
  const { id, tenants } = caller;
  const redaction = { caller: id, by, ...(tenants && { tenants }), ...(only && { only }) };
  return { status: 200, body: await evidence.redactions.redact(redaction) };
}
