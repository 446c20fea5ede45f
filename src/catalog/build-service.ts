import { parseDuration } from '../kernel/index.ts'
import { buildHealth } from './build-detection.ts'
import { buildSecret } from './build-secret.ts'
import { mapEntries } from './map-entries.ts'
import { peopleOf } from './build-people.ts'
import { durationOf, present } from './present.ts'
import { tryParseSchedule } from './schedule.ts'
import type { CatalogFile } from './schema.ts'
import { tierOf } from './build-tiers.ts'
import type * as catalog from './types.ts'

type FileService = CatalogFile['services'][string]
type FileTier = CatalogFile['tiers'][string]

export function buildService(entry: FileService, name: string, file: CatalogFile, directory: string): catalog.Service {
  const { objectives, data, health, backup, verify, escalation: _escalation, ...rest } = entry
  const tier = tierOf(file, entry)
  return present({
    name,
    ...rest,
    ...peopleOf(file, entry),
    objectives: objectivesOf(entry, tier),
    declaredBy: declaredBy(objectives),
    data: data === undefined ? {} : buildData(data, directory),
    health: health && buildHealth(health),
    backup: backup && buildBackup(backup),
    verify: buildVerify(verify, data === undefined ? undefined : tier?.verify),
  })
}

function declaredBy(own: FileService['objectives']): catalog.Service['declaredBy'] {
  return { rpo: own?.rpo === undefined ? 'tier' : 'service', rto: own?.rto === undefined ? 'tier' : 'service' }
}

/** What the service declares itself counts; that each is declared somewhere has been checked. */
function objectivesOf({ objectives: own }: FileService, tier: FileTier | undefined): catalog.Objectives {
  const byTier = tier?.objectives
  return { rpoMs: parseDuration(own?.rpo ?? byTier?.rpo ?? ''), rtoMs: parseDuration(own?.rto ?? byTier?.rto ?? '') }
}

function buildVerify(own: FileService['verify'], byTier: FileTier['verify']): catalog.VerifyPolicy | undefined {
  if (own === undefined && byTier === undefined) return undefined
  return present({
    check: scheduleOf(own?.check ?? byTier?.check),
    restoreTest: scheduleOf(own?.restoreTest ?? byTier?.restoreTest),
    assert: (own?.assert ?? []).map(present),
  })
}

function buildData({ postgres, files }: NonNullable<FileService['data']>, directory: string): catalog.ServiceData {
  return present({
    postgres:
      postgres &&
      present({
        ...withoutPlace(postgres),
        ...buildPlace(postgres, directory),
        standbys: mapEntries(postgres.standbys, (standby, name) =>
          present({ name, ...withoutPlace(standby), ...buildPlace(standby, directory) }),
        ),
      }),
    files,
  })
}

type FilePlace = Pick<NonNullable<NonNullable<FileService['data']>['postgres']>, 'url' | 'replicationUrl' | 'settings'>

function withoutPlace<T extends FilePlace>({ url: _url, replicationUrl: _other, settings: _settings, ...rest }: T) {
  return rest
}

function buildPlace({ url, replicationUrl, settings }: FilePlace, directory: string) {
  return present({
    url: buildUrl(url, directory),
    replicationUrl: replicationUrl === undefined ? undefined : buildUrl(replicationUrl, directory),
    settings: mapEntries(settings, String),
  })
}

function buildUrl(url: FilePlace['url'], directory: string): string | catalog.SecretRef {
  return typeof url === 'string' ? url : buildSecret(url, directory)
}

function buildBackup({ schedule, full, keep, to, tags }: NonNullable<FileService['backup']>): catalog.BackupPolicy {
  const { within, ...counts } = keep ?? {}
  return present({
    to: typeof to === 'string' ? [to] : to,
    tags,
    schedule: scheduleOf(schedule),
    full: scheduleOf(full),
    keep: keep && present({ ...counts, withinMs: durationOf(within) }),
  })
}

function scheduleOf(text: string | undefined): catalog.Schedule | undefined {
  return text === undefined ? undefined : tryParseSchedule(text)
}
