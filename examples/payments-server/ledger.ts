/** The books of a small bank, in memory. The same calls always give the same ids and balances. */

export const CURRENCIES = ['EUR', 'GBP'] as const;
export type Currency = (typeof CURRENCIES)[number];

export const SEGMENTS = ['private', 'business'] as const;
export type Segment = (typeof SEGMENTS)[number];

export interface Customer {
  id: string;
  segment: Segment;
  since: number;
  name: string;
  email: string;
  phone: string;
  iban: string;
}

export interface Account {
  id: string;
  customer: string;
  currency: Currency;
  /** Whole cents, because sums of fractions drift. */
  balance_cents: number;
}

export interface Entry {
  id: string;
  kind: 'transfer' | 'refund';
  from: string;
  to: string;
  amount_cents: number;
  currency: Currency;
  reference: string;
  /** Of a refund: the id of the transfer that it pays back. */
  refunds?: string;
}

type Order = Omit<Entry, 'id' | 'kind'>;

const CUSTOMERS: readonly Customer[] = [
  {
    id: 'c-1',
    segment: 'private',
    since: 2011,
    name: 'Ada Marlow',
    email: 'ada.marlow@example.com',
    phone: '+44 20 7946 0011',
    iban: 'GB33BUKB20201555555555',
  },
  {
    id: 'c-2',
    segment: 'business',
    since: 2016,
    name: 'Brunel Bakery',
    email: 'accounts@brunel-bakery.example',
    phone: '+49 30 5550 0122',
    iban: 'DE89370400440532013000',
  },
  {
    id: 'c-3',
    segment: 'private',
    since: 2022,
    name: 'Chiara Conti',
    email: 'chiara.conti@example.com',
    phone: '+31 20 555 0133',
    iban: 'NL91ABNA0417164300',
  },
];

const ACCOUNTS: readonly Account[] = [
  { id: 'acc-1', customer: 'c-1', currency: 'EUR', balance_cents: 2_500_000 },
  { id: 'acc-2', customer: 'c-2', currency: 'EUR', balance_cents: 9_000_000 },
  { id: 'acc-3', customer: 'c-3', currency: 'EUR', balance_cents: 120_050 },
  { id: 'acc-4', customer: 'c-1', currency: 'GBP', balance_cents: 310_000 },
];

/** Throws an Error with a sentence for the caller where the books do not allow something. */
export class Ledger {
  readonly customers: readonly Customer[] = CUSTOMERS;
  #accounts: Account[] = [];
  #entries: Entry[] = [];

  constructor() {
    this.reset();
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get accounts(): readonly Account[] {
    return this.#accounts;
  }

  account(id: string): Account {
    return known(this.#accounts, id, 'account');
  }

  customer(id: string): Customer {
    return known(this.customers, id, 'customer');
  }

  transfer(order: Order): Entry {
    if (order.from === order.to) throw new Error('an account cannot pay itself');
    return this.#book('transfer', order);
  }

  /** Pays back a transfer, in part or whole; all refunds of it together never exceed it. */
  refund(payment: string, amount_cents: number, reference: string): Entry {
    const paid = known(this.#entries, payment, 'payment');
    if (paid.kind !== 'transfer') throw new Error('only a transfer can be refunded');
    const refunded_cents = this.#entries
      .filter(({ refunds }) => refunds === payment)
      .reduce((sum, entry) => sum + entry.amount_cents, 0);
    if (refunded_cents + amount_cents > paid.amount_cents) {
      throw new Error('the refund exceeds what was paid');
    }
    const { from: to, to: from, currency } = paid;
    return this.#book('refund', { from, to, amount_cents, currency, reference, refunds: payment });
  }

  /** Brings the opening balances back and forgets all entries; tells how many there were. */
  reset(): number {
    const forgotten = this.#entries.length;
    this.#accounts = ACCOUNTS.map((account) => ({ ...account }));
    this.#entries = [];
    return forgotten;
  }

  #book(kind: Entry['kind'], order: Order): Entry {
    const from = this.account(order.from);
    const to = this.account(order.to);
    if (from.currency !== order.currency || to.currency !== order.currency) {
      throw new Error('both accounts must be in the currency of the payment');
    }
    if (from.balance_cents < order.amount_cents) throw new Error('the balance does not suffice');
    from.balance_cents -= order.amount_cents;
    to.balance_cents += order.amount_cents;
    const entry: Entry = { id: `e-${this.#entries.length + 1}`, kind, ...order };
    this.#entries.push(entry);
    return entry;
  }
}

function known<Item extends { id: string }>(
  items: readonly Item[],
  id: string,
  kind: string,
): Item {
  const item = items.find((each) => each.id === id);
  if (item === undefined) throw new Error(`there is no such ${kind}`);
  return item;
}
