import pc from 'picocolors'
import { exitCodes, HoldfastError } from '../../../kernel/index.ts'
import type { LedgerVerification } from '../../../ledger/index.ts'
import { openRepositoryLedger, openTargetRepository } from '../../../service/index.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { findingText } from './wording.ts'
import { counted } from '../../output/counted.ts'

export const ledgerVerifyCommand = command(
  'verify',
  'hold every record against the chain, and against what is remembered of it',
  [
    ['holdfast ledger verify', 'the records in the catalog’s repository'],
    ['holdfast ledger verify --head 5f2a…', 'and that the record with this hash, noted before, is still there'],
  ],
)
  .option('--head <hash>', 'the hash of a record that must be in the ledger (64 hex digits)', parseHash)
  .option('--repository <name>', 'which of the catalog’s repositories')
  .action(async ({ head, repository: name }, self) => {
    const { globals, print, signal } = contextOf(self)
    await using target = await openTargetRepository(globals, name, signal)
    const ledger = openRepositoryLedger(target.repository, target.catalog?.file)
    const result = await ledger.verify(head === undefined ? {} : { head }, signal)
    print.result({ repository: target.repository.location, ...result }, verificationText)
    if (result.verdict !== 'ok') process.exitCode = exitCodes.failed
  })

function parseHash(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text
  throw new HoldfastError('usage', {
    message: `'${text}' is not the hash of a record`,
    hint: 'give all 64 hex digits, as `holdfast ledger verify` prints them',
  })
}

function verificationText({ verdict, checked, head, anchors, notRemembered, findings }: LedgerVerification): string {
  if (verdict === 'empty')
    return 'The ledger is empty: nothing was verified.\nHINT: `holdfast backup` and `holdfast check` write to it'
  const records = counted(checked, 'record')
  const lines = findings.map((finding) => `${pc.red('damaged:')} ${findingText(finding)}`)
  lines.push(
    verdict === 'ok' ? `${pc.green('ok:')} ${records}, unbroken` : `${records} looked at, ${counted(findings.length, 'finding')}`,
  )
  if (head) lines.push(`head: ${head.hash} (record ${head.seq})`)
  if (anchors === 0)
    lines.push(
      'note: no earlier head was known, so records cut off the end would not have been noticed; note this head, and give it with --head',
    )
  if (notRemembered !== undefined) lines.push(`note: this machine cannot remember the head: ${notRemembered}`)
  return lines.join('\n')
}
