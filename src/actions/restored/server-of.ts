import { z } from 'zod'
import { HoldfastError } from '../../kernel/index.ts'
import {
  createServer,
  dataDirectoryVersion,
  findRunningServer,
  inspectServer,
  listPostgres,
  requirePostgres,
  type PostgresInstallation,
  type PostgresServer,
  type ServerFacts,
} from '../../postgres/index.ts'
import type { ActionContext } from '../contract.ts'
import { pathOrOutput } from '../param-types.ts'
import { isBelow } from '../reach.ts'
import { readMarker } from './marker.ts'

/** The parameters by which a step names a restored server; those of one server are the same in all of its steps. */
export const serverParams = {
  dataDirectory: pathOrOutput.describe('Of the server, usually ${steps.restore.dataDirectory}.'),
  user: z
    .string()
    .describe('The database user to connect as, a superuser. Default: the oldest one that the backup knows, else postgres.')
    .optional(),
} as const

const restored = z.object({
  service: z.string(),
  repository: z.string(),
  systemIdentifier: z.string(),
  completeUntil: z.string().optional(),
  superuser: z.string().optional(),
})

/** What `postgres.restore` said of a data directory; undefined for one that it did not make. */
export async function restoredFacts(dataDirectory: string): Promise<z.infer<typeof restored> | undefined> {
  const marker = await readMarker(dataDirectory)
  if (marker === undefined) return undefined
  if (marker.state !== 'done') {
    throw new HoldfastError('identity-mismatch', {
      message: `the restore into ${dataDirectory} has not finished`,
      hint: 'run the step that restores it first',
    })
  }
  return restored.parse(marker.output)
}

export interface ServerChoice {
  readonly dataDirectory: string
  readonly user?: string | undefined
  readonly port?: number | undefined
  readonly socketDirectory?: string | undefined
  readonly listen?: 'private' | 'loopback' | 'configured' | undefined
  readonly settings?: Readonly<Record<string, string>> | undefined
  readonly sandbox?: boolean | undefined
}

/**
 * The server on a data directory. What a step does not say, the service's entry in the catalog does, but for a sandbox, which has nothing in
 * common with the real one. Throws `target-unsafe` for a data directory outside the sandbox of the drill that the step is part of.
 */
export async function serverOn(
  choice: ServerChoice,
  context: Pick<ActionContext, 'catalog' | 'sandbox'>,
): Promise<PostgresServer> {
  requireInSandbox(choice.dataDirectory, context)
  const facts = await restoredFacts(choice.dataDirectory)
  const declared = facts === undefined ? undefined : context.catalog.services[facts.service]?.data.postgres
  const sandbox = choice.sandbox === true
  const port = choice.port ?? (sandbox ? undefined : declared?.port)
  const socketDir = choice.socketDirectory ?? (sandbox ? undefined : declared?.socketDirectory)
  return createServer({
    dataDir: choice.dataDirectory,
    installation: installationFor(choice.dataDirectory, declared?.binDirectory),
    listen: choice.listen ?? 'private',
    user: choice.user ?? facts?.superuser ?? 'postgres',
    admitUser: true,
    sandbox,
    settings: { ...declared?.settings, ...choice.settings },
    ...(port === undefined ? {} : { port }),
    ...(socketDir === undefined ? {} : { socketDir }),
    ...(declared?.runAs === undefined ? {} : { account: declared.runAs }),
  })
}

function requireInSandbox(dataDirectory: string, { sandbox }: Pick<ActionContext, 'sandbox'>): void {
  if (sandbox?.confined !== true || isBelow(dataDirectory, sandbox.folder)) return
  throw new HoldfastError('target-unsafe', {
    message: `${dataDirectory} is not in the sandbox of this drill, ${sandbox.folder}`,
    hint: 'substitute the step, or allow it: see `drill` in the catalog',
  })
}

/** The programs for a data directory: those of the folder named, if they are of its version. */
export function installationFor(dataDirectory: string, binDirectory: string | undefined): PostgresInstallation {
  const version = dataDirectoryVersion(dataDirectory)
  const named = listPostgres().find(({ binDir }) => binDir === binDirectory)
  if (binDirectory === undefined || named?.version === version) return named ?? requirePostgres(version)
  if (named !== undefined) return requirePostgres(version)
  return { binDir: binDirectory, version, fullVersion: String(version), origin: 'system' }
}

/** Throws `identity-mismatch` unless the server that answers is of the cluster that was restored. */
export async function assertIdentity(server: PostgresServer, signal: AbortSignal): Promise<ServerFacts> {
  const facts = await inspectServer(server.url, signal)
  const expected = (await restoredFacts(server.dataDir))?.systemIdentifier
  if (expected === undefined || facts.systemIdentifier === expected) return facts
  throw new HoldfastError('identity-mismatch', {
    message: `the server on ${server.dataDir} has the system identifier ${facts.systemIdentifier}, and ${expected} was restored there`,
    hint: 'another server has been put there; look before anything else is done',
    details: { found: facts.systemIdentifier, expected },
  })
}

/** Throws `identity-mismatch` while a server runs there: its files are not to be touched. */
export async function assertNotRunning(dataDirectory: string): Promise<void> {
  const running = await findRunningServer(dataDirectory)
  if (running === undefined) return
  throw new HoldfastError('identity-mismatch', {
    message: `a PostgreSQL server (process ${running.pid}) is running on ${dataDirectory}`,
    hint: 'stop it first, if it is the one you mean',
  })
}
