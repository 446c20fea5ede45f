import { isProof } from '../../objectives/index.ts'
import type { ReportFacts } from './facts.ts'

/** How far a report supports a requirement: by what is on record in the period, in part, or not at all. */
export type Support = 'supported' | 'in part' | 'nothing on record'

export interface Control {
  readonly framework: string
  readonly reference: string
  /** In brief, in our words. */
  readonly asks: string
  /** Chapters of the report, by number. */
  readonly chapters: readonly number[]
  readonly support: Support
  /** What it rests on, or what is lacking. */
  readonly because: string
  /** What no ledger can show. */
  readonly beyond: string
}

/**
 * What requirements of usual frameworks this report is evidence for. The references are to SOC 2 (AICPA Trust Services Criteria, 2017), ISO
 * 22301:2019, NIST SP 800-34 Rev. 1, DORA (Regulation (EU) 2022/2554) and the AWS Well-Architected Framework's reliability pillar. Whether a
 * requirement is met is for the auditor to say: that it asks for, no ledger knows all of.
 */
export function controlsOf(facts: ReportFacts): Control[] {
  const { backedUp, tested, exercised, planned, restored, offSite } = supportOf(facts)
  const control = (
    [framework, reference, asks]: readonly [string, string, string],
    chapters: readonly number[],
    { support, because }: Pick<Control, 'support' | 'because'>,
    beyond: string,
  ): Control => ({ framework, reference, asks, chapters, support, because, beyond })
  return [
    control(
      ['SOC 2', 'A1.2', 'data back-up processes and recovery infrastructure are operated and monitored'],
      [2, 5],
      backedUp,
      'environmental protections, and infrastructure that the catalog does not name',
    ),
    control(
      ['SOC 2', 'A1.3', 'recovery plan procedures are tested'],
      [3, 4],
      tested,
      'whether the tests are those that the entity committed to',
    ),
    control(
      ['ISO 22301:2019', '8.4', 'business continuity plans and procedures exist and name teams, steps and recovery'],
      [2, 3],
      planned,
      'plans of people and premises',
    ),
    control(
      ['ISO 22301:2019', '8.5', 'an exercise programme tests them, with reports, outcomes and actions'],
      [3, 6, 7],
      exercised,
      'whether exercises together validate all of the strategy',
    ),
    control(
      ['NIST SP 800-34 Rev. 1', '3.4', 'recovery strategies: backup, off-site storage, objectives'],
      [2, 5],
      offSite,
      'alternate sites and equipment',
    ),
    control(['NIST SP 800-34 Rev. 1', '3.5', 'testing, training and exercises'], [3, 4], tested, 'training of people'),
    control(
      ['DORA', 'Art. 11', 'response and recovery plans are in place and tested at least yearly'],
      [2, 3],
      exercised,
      'communication plans, and tests of critical third parties',
    ),
    control(
      ['DORA', 'Art. 12', 'backup policies, restoration and recovery procedures; restores are checked for integrity'],
      [4, 5],
      restored,
      'logical and physical segregation from the source, beyond the sites that the catalog names',
    ),
    control(
      ['AWS Well-Architected', 'REL 9', 'data is backed up, secured and automatic; recovery of it is verified periodically'],
      [4, 5],
      restored,
      'encryption and access rights of sources',
    ),
    control(
      ['AWS Well-Architected', 'REL 13', 'disaster recovery has objectives, a strategy, tests, and drift is managed'],
      [2, 3, 6],
      exercised,
      'configuration drift at the recovery site',
    ),
  ]
}

type Basis = Pick<Control, 'support' | 'because'>

/** Of what everything ought to have: supported where all of them have it, in part where some do. */
function ofAll(all: ReadonlySet<string>, having: ReadonlySet<string>, what: string, more = ''): Basis {
  const count = [...all].filter((name) => having.has(name)).length
  const support = count === 0 ? 'nothing on record' : count === all.size ? 'supported' : 'in part'
  return { support, because: `${count} of ${all.size} ${what}${more}` }
}

function supportOf({ backups, restores, runs, checks, status, copies }: ReportFacts) {
  const services = new Set(status.services.map(({ service }) => service))
  const withPlan = new Set(status.services.flatMap(({ service, plan }) => (plan === undefined ? [] : [service])))
  const withData = new Set(copies.map(({ service }) => service))
  const servicesOf = (found: readonly { readonly service?: string }[]) => new Set(found.flatMap(({ service }) => service ?? []))
  const plans = new Map(status.services.map(({ service, plan }) => [service, plan]))
  // Another plan than its own shows nothing of that.
  const proven = servicesOf(runs.filter(({ shown, service = '', body }) => isProof(shown) && plans.get(service) === body.plan))
  // A part that came back, or one with losses, is no proof of the whole, and neither is one source of two.
  const whole = restores.filter(({ body }) => body.partial !== true && body.skipped === 0 && body.verifiedFiles > 0)
  const wasRestored = (name: string, source: string) => whole.some((one) => one.service === name && one.source === source)
  const compared = copies.flatMap(({ service, sources }) => (sources.every((one) => wasRestored(service, one)) ? service : []))
  const looked = checks.filter(({ body }) => body.snapshots > 0)
  const damaged = looked.filter(({ body }) => body.findings.length > 0)
  const checked = `; of ${looked.length} checks of repositories ${damaged.length} found damage`
  const backedUp = ofAll(withData, servicesOf(backups), 'services with data have a backup on record', checked)
  const exercised = ofAll(withPlan, proven, 'services with a plan were recovered or drilled by it, and checked')
  return {
    backedUp: backedUp.support === 'supported' && looked.length === 0 ? { ...backedUp, support: 'in part' as const } : backedUp,
    exercised,
    tested: exercised,
    planned: ofAll(services, withPlan, 'services have a plan'),
    restored: ofAll(
      withData,
      new Set([...compared, ...proven]),
      'services with data had all of it restored and compared, or were recovered by their plan and checked',
    ),
    offSite: ofAll(
      withData,
      new Set(copies.filter(({ to }) => to.some((copy) => copy.offSite)).map(({ service }) => service)),
      'services with data are backed up to another site than their own',
    ),
  }
}
