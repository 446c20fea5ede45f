import { Option } from '@commander-js/extra-typings'
import { HoldfastError } from '../../../kernel/index.ts'
import { evidenceKinds, isEvidenceKind, type DamagedPlace, type LedgerRecord } from '../../../ledger/index.ts'
import { openRepositoryLedger, openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { table } from '../../output/table.ts'
import { parseTimeArgument } from '../../parse-time.ts'
import { recordText } from './wording.ts'

export const ledgerShowCommand = command('show', 'list what was measured, the newest first', [
  ['holdfast ledger show --kind recovery', 'every recovery and drill'],
  ['holdfast ledger show --service orders-db --limit 5', 'the last five things that happened to orders-db'],
  ['holdfast ledger show --from 2026-01-01 --to 2026-02-01 --limit 1000', 'what happened in January'],
])
  .addOption(new Option('--kind <kind>', 'only records of this kind').choices(evidenceKinds))
  .option('--service <name>', 'only records about this service')
  .option('--from <time>', 'only records from this moment on, by their own time', parseMoment)
  .option('--to <time>', 'only records before this moment', parseMoment)
  .option('--limit <number>', 'at most so many', parseLimit, 20)
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async ({ kind, service, from, to, limit, repository: name }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const ledger = openRepositoryLedger(target.repository, target.catalog)
    const damaged: DamagedPlace[] = []
    const filter = {
      ...(kind !== undefined && isEvidenceKind(kind) ? { kinds: [kind] } : {}),
      ...(service === undefined ? {} : { service }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      order: 'newest-first' as const,
      limit,
      onDamage: (place: DamagedPlace) => damaged.push(place),
    }
    const records = await Array.fromAsync(ledger.records(filter, signal))
    print.result({ records: records.map(asJson), damaged }, () => recordsText(records))
    // What can be read is shown first; a list with holes must not pass for the whole.
    const [first] = damaged
    if (first)
      throw new HoldfastError('ledger-damaged', {
        message: `${damaged.length} of the records looked at are damaged, the newest is ${first.seq}`,
        hint: '`holdfast ledger verify` says what is wrong with them',
        details: { damaged },
      })
  })

function parseMoment(text: string): Date {
  return new Date(Number(parseTimeArgument(text) / 1_000_000n))
}

function parseLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new HoldfastError('usage', { message: `'${text}' is not a number of records`, hint: 'give a whole number from 1' })
}

/** The stored record with its hash. */
function asJson({ hash, canonical }: LedgerRecord): unknown {
  return { hash, ...(JSON.parse(canonical) as object) }
}

function recordsText(records: readonly LedgerRecord[]): string {
  if (records.length === 0) return 'no such record'
  return table(
    [
      { title: 'record', value: ({ seq }) => String(seq), align: 'right' },
      { title: 'time', value: ({ time }) => time.toISOString().replace('T', ' ').slice(0, 19) },
      { title: 'kind', value: (record) => (record.kind === 'unknown' ? record.originalKind : record.kind) },
      { title: 'service', value: ({ service }) => service ?? '-' },
      { title: 'what', value: recordText },
    ],
    records,
  )
}
