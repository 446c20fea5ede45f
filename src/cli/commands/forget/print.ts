import type { ForgetReport, PruneReport } from '../../../backup/index.ts'
import { exitCodes, isHoldfastError, messageOf, shortId } from '../../../kernel/index.ts'
import type { ForgetOutcome } from '../../../service/index.ts'
import type { Context } from '../../context.ts'
import { notePruned } from '../prune/note-pruned.ts'
import { pruneText } from '../prune/wording.ts'
import { forgetJson, forgetText } from './wording.ts'

type Print = Context['print']

interface Named {
  readonly dryRun: boolean
  readonly removed: readonly string[]
  readonly pruned?: PruneReport
}

interface Done {
  readonly forgotten: ForgetReport
  readonly pruned?: PruneReport
}

export function printNamed({ dryRun, removed, pruned }: Named, print: Print): void {
  const names = removed.map(shortId).join(', ')
  const text = dryRun
    ? `would remove ${names}; nothing was removed: a dry run`
    : `removed ${names}${pruned ? '' : '; `holdfast prune` frees what only they held'}`
  print.result({ dryRun, removed, ...(pruned && { prune: pruned }) }, () => withPruned(text, pruned))
  if (pruned) notePruned(pruned, print)
}

export function printReport(done: Done, print: Print): void {
  print.result(doneJson(done), () => doneText(done))
  noteDone(done, print)
}

/** Of all repositories of a service. Throws the first failure when nothing was done at all. */
export function printOutcomes(service: string, outcomes: readonly ForgetOutcome[], print: Print): void {
  const done = outcomes.flatMap((outcome) => ('forgotten' in outcome ? [outcome] : []))
  const failures = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : []))
  if (done.length === 0 && failures[0] !== undefined) throw failures[0].error
  print.result(
    {
      service,
      repositories: done.map(({ repository, ...each }) => ({ repository, ...doneJson(each) })),
      failures: failures.map(({ repository, error }) => ({ repository, error: errorJson(error) })),
    },
    () => done.map((each) => `${service} in ${each.repository}:\n${doneText(each)}`).join('\n\n'),
  )
  for (const each of done) noteDone(each, print)
  for (const { repository, error } of failures) print.note(`not done in ${repository}: ${messageOf(error)}`)
  if (failures.length > 0) process.exitCode = exitCodes.partlyDone
}

function doneJson({ forgotten, pruned }: Done) {
  return { ...forgetJson(forgotten), ...(pruned && { prune: pruned }) }
}

function doneText({ forgotten, pruned }: Done): string {
  return withPruned(forgetText(forgotten), pruned)
}

function withPruned(text: string, pruned: PruneReport | undefined): string {
  return pruned ? `${text}\n\n${pruneText(pruned)}` : text
}

/** What could not be judged was kept; that must not pass unnoticed. */
function noteDone({ forgotten, pruned }: Done, print: Print): void {
  for (const { id, reason } of forgotten.unreadable) print.note(`kept unseen: snapshot ${shortId(id)} cannot be read: ${reason}`)
  for (const id of forgotten.future)
    print.note(
      `snapshot ${shortId(id)} is dated in the future: it was not counted and is kept; remove it with \`holdfast forget ${shortId(id)}\` once others are known to be good`,
    )
  if (forgotten.unreadable.length + forgotten.future.length > 0) process.exitCode = exitCodes.partlyDone
  if (pruned) notePruned(pruned, print)
}

function errorJson(error: unknown): object {
  const { code, hint } = isHoldfastError(error) ? error : { code: 'internal', hint: undefined }
  return { code, message: messageOf(error), ...(hint === undefined ? {} : { hint }) }
}
