export interface DemoOptions {
  /** Keep everything in this folder, the recovered data included. Without it the repository, catalog and ledger are left among the temporary files. */
  readonly keep?: string
  /** How long the writers write. */
  readonly seconds: number
  /** Commits wait for the WAL receiver. */
  readonly synchronous: boolean
}
