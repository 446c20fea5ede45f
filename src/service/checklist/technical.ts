import { formatDuration } from '../../kernel/index.ts'
import { clockToleranceMs } from '../../objectives/index.ts'
import { recommendFor } from '../strategy/recommend.ts'
import type { ChecklistFacts } from './facts.ts'
import { byLints, inService, ofData, ofEach, type Answer, type ChecklistItem } from './item.ts'

/** A check of a repository older than this says nothing of today. */
const checkMaxAgeMs = 31 * 86_400_000

/** Whether there is something to recover from, elsewhere, and whether it was tried. */
export const technicalItems: readonly ChecklistItem[] = [
  {
    code: 'strategy',
    area: 'technical',
    says: 'a strategy is chosen for each service that can keep its objectives',
    answers: ofEach((service, { catalog }) => {
      const [recommendation] = recommendFor(catalog, [service.name])
      const chosen = recommendation?.chosen
      const next = `\`holdfast strategy recommend ${service.name}\``
      if (chosen === undefined) return { state: 'no', because: 'no strategy is chosen', evidence: [], next }
      const evidence = [inService(service, 'strategy')]
      if (chosen.meets) return { state: 'yes', because: `${chosen.strategy.name} keeps its objectives`, evidence }
      return { state: 'no', because: `${chosen.strategy.name} cannot keep its objectives`, evidence, next }
    }),
  },
  {
    code: 'replication',
    area: 'technical',
    says: 'data goes to more than one place, one of them at another site',
    answers: ofData(byLints(['no-backup', 'one-copy', 'no-off-site-copy'], 'backup.to')),
  },
  {
    code: 'immutability',
    area: 'technical',
    says: 'one copy of the data cannot be changed or deleted for long enough',
    answers: ofData(byLints(['no-backup', 'no-immutable-copy', 'immutable-too-short', 'no-restore-test'], 'backup.to')),
  },
  {
    code: 'retention',
    area: 'technical',
    says: 'backups are kept longer than it takes to notice that something is wrong',
    answers: ofData(byLints(['no-backup', 'no-retention', 'retention-too-short', 'no-restore-test'], 'backup.keep')),
  },
  {
    code: 'backups-current',
    area: 'technical',
    says: 'what would be lost now is within the RPO',
    answers: ofData(({ name }, { status }) => {
      const rpo = status.services.find(({ service }) => service === name)?.rpo
      if (rpo?.actualMs === undefined || rpo.declaredMs === undefined)
        return {
          state: 'unknown',
          because: `nobody knows what would be lost: ${words(rpo?.because)}`,
          evidence: [],
          next: statusOf(name),
        }
      const because = `${formatDuration(rpo.actualMs)} of ${formatDuration(rpo.declaredMs)}`
      if (rpo.actualMs <= rpo.declaredMs) return { state: 'yes', because, evidence: rpo.evidence }
      return { state: 'no', because, evidence: rpo.evidence, next: `\`holdfast backup --service ${name}\`` }
    }),
  },
  {
    code: 'integrity-checks',
    area: 'technical',
    says: 'every repository was checked in the last 31 days, and no damage stands',
    answers: checkedRepositories,
  },
  {
    code: 'restores-tested',
    area: 'technical',
    says: 'data of each service was brought back and compared in the last 90 days',
    answers: ofData(({ name }, { status, unseen }) => {
      const rpo = status.services.find(({ service }) => service === name)?.rpo
      const evidence = rpo?.evidence ?? []
      if (rpo?.basis === 'measured') return { state: 'yes', because: 'it was brought back and compared', evidence }
      const next = `\`holdfast drill run ${name}\`, or \`holdfast restore --verify\``
      // What could not be looked into may have the proof.
      if (unseen.length > 0) return { state: 'unknown', because: 'not all ledgers could be read', evidence, next: statusOf(name) }
      return { state: 'no', because: words(rpo?.because), evidence, next }
    }),
  },
]

function checkedRepositories({ services, checks, unseen, now }: ChecklistFacts): Answer[] {
  const names = new Set(services.flatMap(({ backup }) => backup?.to ?? []))
  return [...names].map((of): Answer => {
    const next = `\`holdfast check --repository ${of} --read-data\``
    const check = checks.get(of)
    if (check === undefined) {
      const because = unseen.find(({ repository }) => repository === of)?.because ?? 'it could not be looked into'
      return { of, state: 'unknown', because, evidence: [] }
    }
    const { last, damage } = check
    const evidence = [last, damage].flatMap((record) => (record ? [{ repository: of, seq: record.seq }] : []))
    if (damage)
      return { of, state: 'no', because: 'a check has found damage', evidence, next: `\`holdfast repair packs\`; docs/repair.md` }
    if (last === undefined) return { of, state: 'no', because: 'no check is on record', evidence, next }
    if (last.body.snapshots === 0) return { of, state: 'no', because: 'the last check had nothing to look at', evidence, next }
    if (last.time.getTime() > now.getTime() + clockToleranceMs)
      return { of, state: 'unknown', because: 'the last check is dated in the future', evidence, next }
    const because = `${last.body.depth === 'data' ? 'all data was read' : 'its structure was checked'} on ${last.time.toISOString().slice(0, 10)}`
    const isOld = now.getTime() - last.time.getTime() > checkMaxAgeMs
    return isOld ? { of, state: 'no', because, evidence, next } : { of, state: 'yes', because, evidence }
  })
}

function statusOf(service: string): string {
  return `\`holdfast status ${service}\` says why`
}

function words(code: string | undefined): string {
  return (code ?? 'unknown').replaceAll('-', ' ')
}
