import type { Catalog } from '../catalog/index.ts'
import { isHoldfastError } from '../kernel/index.ts'
import type { LedgerView } from '../ledger/index.ts'
import type { Repository } from '../repository/index.ts'
import type { UnseenLedger } from './read-ledgers.ts'
import { openRepositoryLedger } from './record-evidence.ts'
import type { RepositoryFacts } from './status/repository-facts.ts'

export interface LedgerAnswers<Answer> {
  readonly answers: readonly { readonly repository: string; readonly opened: Repository; readonly answer: Answer }[]
  /** With those that could not be opened before. */
  readonly unseen: readonly UnseenLedger[]
}

/** Repositories of a catalog, as far as they could be opened. */
export interface OpenRepositories {
  readonly seen: readonly RepositoryFacts[]
  readonly unseen: readonly { readonly name: string; readonly because: string }[]
}

/** Asks the ledgers of repositories that are open. What cannot be read is an outcome. */
export async function askLedgers<Answer>(
  catalog: Catalog,
  { seen, unseen }: OpenRepositories,
  work: (view: LedgerView) => Answer,
  signal?: AbortSignal,
): Promise<LedgerAnswers<Answer>> {
  const answers: { repository: string; opened: Repository; answer: Answer }[] = []
  const notSeen: UnseenLedger[] = unseen.map(({ name, because }) => ({ repository: name, because }))
  for (const { name, repository: opened } of seen) {
    try {
      answers.push({ repository: name, opened, answer: await openRepositoryLedger(opened, catalog).ask(work, signal) })
    } catch (error) {
      signal?.throwIfAborted()
      if (!isHoldfastError(error) || error.code === 'internal') throw error
      notSeen.push({ repository: name, because: error.message })
    }
  }
  return { answers, unseen: notSeen }
}
