export { openJournal, readJournal, type Journal, type JournalOptions } from './journal.ts'
export type { JournalRecord } from './line.ts'
export { acquireOwnerLock, lockHolder, type LockOptions, type LockOwner, type OwnerLock } from './owner-lock.ts'
export { ownIdentity, type ProcessIdentity, type ProcessState } from './process-identity.ts'
