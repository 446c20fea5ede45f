import { stringify } from 'yaml'
import type { DemoLayout } from './layout.ts'

export const demoServices = { database: 'orders-db', files: 'receipts' } as const
export const demoPlan = 'orders-recovery'
/** The replication slot, which is also the name that the receiver goes by. */
export const demoSlot = 'holdfast_demo'
/** What the demo promises, and is held to. */
export const demoObjectives = {
  database: { rpo: '5s', rto: '2m' },
  files: { rpo: '15m', rto: '2m' },
} as const

export interface DemoCatalogFacts {
  readonly layout: DemoLayout
  /** Of the server that is going to be destroyed. Without a password: it listens on a private socket only. */
  readonly databaseUrl: string
  /** Its programs: the recovered server needs the same major version. */
  readonly binDirectory: string
  readonly synchronous: boolean
}

/** The demo's `holdfast.yaml`: a catalog like any other, with comments for those who open it. */
export function demoCatalogText({ layout, databaseUrl, binDirectory, synchronous }: DemoCatalogFacts): string {
  const { database, files } = demoServices
  const common = { owner: 'Demo Team', onCall: '+1-555-0100', tier: 1, site: 'production' }
  const catalog = {
    version: 1,
    name: 'demo',
    sites: {
      production: { description: 'what the demo destroys' },
      recovery: { description: 'where the copies are, and what comes back' },
    },
    repositories: {
      local: { url: layout.repository, site: 'recovery', media: 'disk', password: { file: layout.passwordFile } },
    },
    services: {
      [database]: {
        ...common,
        objectives: demoObjectives.database,
        data: {
          postgres: {
            url: databaseUrl,
            slot: demoSlot,
            wal: synchronous ? 'synchronous' : 'stream',
            dataDirectory: layout.production.dataDirectory,
            binDirectory,
          },
        },
        backup: { schedule: 'daily at 02:00', to: 'local' },
        recovery: demoPlan,
      },
      [files]: {
        ...common,
        objectives: demoObjectives.files,
        data: { files: { paths: [layout.production.files] } },
        backup: { schedule: 'every 15m', to: 'local' },
        recovery: demoPlan,
      },
    },
    plans: {
      [demoPlan]: {
        recovers: [database, files],
        steps: [
          { id: 'receipts', do: { 'files.restore': { service: files, target: layout.recovery.files } }, timeout: '5m' },
          {
            id: 'restore',
            do: { 'postgres.restore': { service: database, target: layout.recovery.dataDirectory } },
            timeout: '10m',
          },
          {
            id: 'start',
            do: { 'postgres.start': { dataDirectory: '${steps.restore.dataDirectory}' } },
            after: ['restore'],
            timeout: '10m',
          },
          {
            id: 'inspect',
            do: { 'sql.check': { url: '${steps.start.url}', sql: 'select count(*) from orders', atLeast: 1 } },
            after: ['start'],
          },
          {
            id: 'promote',
            do: { 'postgres.promote': { dataDirectory: '${steps.restore.dataDirectory}' } },
            after: ['inspect', 'receipts'],
          },
          {
            id: 'verify',
            do: { 'sql.check': { url: '${steps.start.url}', sql: 'select not pg_is_in_recovery()', equals: true } },
            after: ['promote'],
          },
        ],
      },
    },
  }
  return `# The catalog of \`holdfast demo\`: a database and a folder of files, and the plan that brings both back.\n${stringify(catalog, { lineWidth: 120, aliasDuplicateObjects: false })}`
}
