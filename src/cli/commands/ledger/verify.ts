import pc from 'picocolors'
import { exitCodes, HoldfastError, shortId } from '../../../kernel/index.ts'
import {
  openTargetRepository,
  verifyLedgerOf,
  verifyLedgers,
  type LedgersVerification,
  type VerifiedLedger,
} from '../../../service/index.ts'
import { loadCatalog } from '../../../catalog/index.ts'
import { catalogPath } from '../../catalog-path.ts'
import { command } from '../../command.ts'
import { contextOf } from '../../context.ts'
import { counted } from '../../output/counted.ts'
import { findingText, signaturesText } from './wording.ts'

export const ledgerVerifyCommand = command(
  'verify',
  'hold every record against the chain, its signature, and what is known of it elsewhere',
  [
    ['holdfast ledger verify', 'the ledgers of all of the catalog’s repositories, and what each says of the others'],
    ['holdfast ledger verify --head 5f2a…', 'and that the record with this hash, noted before, is still there'],
  ],
)
  .option('--head <hash>', 'the hash of a record that must be in the ledger (64 hex digits)', parseHash)
  .option('--key <key>', 'a public key to take for known, besides the catalog’s; can be repeated', addKey, new Map())
  .option('--repository <name>', 'only this one of the catalog’s repositories')
  .action(async ({ head, key: keys, repository: name }, self) => {
    const { globals, print, signal } = contextOf(self)
    const options = { keys, ...(head === undefined ? {} : { head }) }
    const verify = async () => {
      if (globals.repo === undefined && name === undefined)
        return verifyLedgers(await loadCatalog(catalogPath(globals), {}, signal), options, signal)
      await using target = await openTargetRepository(globals, name, signal)
      return verifyLedgerOf({ ...target, name: name ?? target.repository.location }, options, signal)
    }
    const result = await verify()
    print.result(result, verificationsText)
    if (result.verdict !== 'ok') process.exitCode = exitCodes.failed
  })

function parseHash(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text
  throw new HoldfastError('usage', {
    message: `'${text}' is not the hash of a record`,
    hint: 'give all 64 hex digits, as `holdfast ledger verify` prints them',
  })
}

function addKey(text: string, before: ReadonlyMap<string, string>): Map<string, string> {
  if (/^ed25519:[A-Za-z0-9_-]{43}$/.test(text)) return new Map([...before, [text, 'given']])
  throw new HoldfastError('usage', {
    message: `'${text}' is not a public key`,
    hint: 'give it as `holdfast ledger keys` prints it: ed25519: and 43 characters',
  })
}

function verificationsText({ ledgers, unseen, missingHead }: LedgersVerification): string {
  const several = ledgers.length + unseen.length > 1
  return [
    ...ledgers.map((ledger) => `${several ? `${pc.bold(ledger.repository)}\n` : ''}${verificationText(ledger)}`),
    ...unseen.map(({ repository, because }) => `${pc.bold(repository)}\n${pc.red('not seen:')} ${because}`),
    ...(missingHead === undefined
      ? []
      : [`${pc.red('missing:')} the record ${shortId(missingHead)} is in none of the ledgers that were looked into`]),
  ].join('\n\n')
}

function verificationText({ verdict, checked, head, anchors, notRemembered, findings, ...written }: VerifiedLedger): string {
  if (verdict === 'empty')
    return 'The ledger is empty: nothing was verified.\nHINT: `holdfast backup` and `holdfast check` write to it'
  const records = counted(checked, 'record')
  const lines = findings.map((finding) => `${pc.red('damaged:')} ${findingText(finding)}`)
  lines.push(
    verdict === 'ok' ? `${pc.green('ok:')} ${records}, unbroken` : `${records} looked at, ${counted(findings.length, 'finding')}`,
  )
  lines.push(...signaturesText(written))
  if (head) lines.push(`head: ${head.hash} (record ${head.seq})`)
  if (anchors === 0)
    lines.push(
      'note: no earlier head was known, so records cut off the end would not have been noticed; note this head, and give it with --head',
    )
  if (notRemembered !== undefined) lines.push(`note: this machine cannot remember the head: ${notRemembered}`)
  return lines.join('\n')
}
