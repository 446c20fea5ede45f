import { defaultCatalog, findService, loadCatalog, resolveSecret, type Service } from '../catalog/index.ts'
import { HoldfastError } from '../kernel/index.ts'
import { receiveWal, type ReceiverEvent } from '../postgres/index.ts'
import type { Repository } from '../repository/index.ts'
import { openCatalogRepository, openTargetRepository, type RepositoryChoice } from './open-repository.ts'
import type { EvidenceContext } from './record-evidence.ts'
import { walRecorder, type NotRecorded } from './record-wal.ts'

/** Whose WAL goes where: a service of the catalog, or all of it by flags. */
export interface ReceptionRequest extends RepositoryChoice {
  readonly service?: string
  /** Default: the first repository that the service is backed up to. */
  readonly repository?: string
  /** Without a service. */
  readonly url?: string
  /** Default: named after the service. */
  readonly slot?: string
}

/** Where WAL is to be received from, and the open repository that it goes into. */
export interface Reception extends AsyncDisposable {
  readonly repository: Repository
  readonly url: string
  readonly slot: string
  /** Commits are to wait for it: what the server must be told for that. */
  readonly synchronous: boolean
  /** For the ledger. */
  readonly context: EvidenceContext & { readonly repositoryName: string }
}

/** Finds the server and opens the repository. Throws `usage` when something is missing, and the errors of opening a repository. */
export async function openReception(request: ReceptionRequest, signal?: AbortSignal): Promise<Reception> {
  const { service: name, repo, url, slot } = request
  if (name === undefined) {
    if (url === undefined || slot === undefined) {
      throw new HoldfastError('usage', {
        message: 'it is not said whose WAL to receive',
        hint: 'name a service of the catalog, or give --url and --slot',
      })
    }
    const { repository, catalog } = await openTargetRepository(request, request.repository, signal)
    const context = {
      repositoryName: request.repository ?? repository.location,
      ...(catalog ? { catalogPath: catalog.file } : {}),
    }
    return reception(repository, { url, slot, synchronous: false, context })
  }
  const catalog = await loadCatalog(request.catalog ?? defaultCatalog(), {}, signal)
  const service = findService(catalog, name)
  const { postgres } = service.data
  if (!postgres || postgres.wal === 'none') {
    throw new HoldfastError('usage', {
      message: `the service ${name} ${postgres ? 'has its WAL switched off' : 'holds no PostgreSQL'}`,
      hint: postgres
        ? `set services.${name}.data.postgres.wal to stream or synchronous`
        : `add services.${name}.data.postgres to the catalog`,
    })
  }
  const from = {
    url: url ?? (typeof postgres.url === 'string' ? postgres.url : (await resolveSecret(postgres.url, signal)).reveal()),
    slot: slot ?? slotOf(service),
    synchronous: postgres.wal === 'synchronous',
    context: { service: name, catalogPath: catalog.file, catalogHash: catalog.hash, repositoryName: repo ?? '' },
  }
  if (repo !== undefined) return reception((await openTargetRepository(request, undefined, signal)).repository, from)
  const target = request.repository ?? service.backup?.to[0]
  if (target === undefined) {
    throw new HoldfastError('usage', {
      message: `the service ${name} is backed up to no repository, so its WAL has nowhere to go`,
      hint: `name one: services.${name}.backup.to in ${catalog.file}`,
    })
  }
  const context = { ...from.context, repositoryName: target }
  return reception(await openCatalogRepository(catalog, target, signal), { ...from, context })
}

/** The replication slot of a service, which is also the name that its receiver goes by. */
export function slotOf(service: Service): string {
  return service.data.postgres?.slot ?? `holdfast_${service.name.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')}`.slice(0, 63)
}

function reception(repository: Repository, from: Omit<Reception, 'repository' | typeof Symbol.asyncDispose>): Reception {
  return { ...from, repository, [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose]() }
}

/** Receives until the signal aborts, and keeps the ledger of what happens on the way. See receiveWal. */
export async function runReception(
  request: ReceptionRequest,
  onEvent: (event: ReceiverEvent | NotRecorded) => void,
  signal: AbortSignal,
): Promise<void> {
  await using from = await openReception(request, signal)
  const { repositoryName, ...context } = from.context
  const recorder = walRecorder(from.repository, repositoryName, context, onEvent)
  try {
    const onReceived = (event: ReceiverEvent) => {
      onEvent(event)
      recorder.note(event)
    }
    await receiveWal({ url: from.url, slot: from.slot, area: from.repository.area('holdfast/wal') }, onReceived, signal)
  } finally {
    await recorder.settled()
  }
}
