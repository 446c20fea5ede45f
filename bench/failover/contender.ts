import type { Cluster } from './cluster.ts'

/** Something that fails over to the standby by itself. */
export interface Contender {
  readonly name: string
  /** How it is made to act 8 to 10 s after the primary was last well. */
  readonly settings: string
  /** Debian's package and its program, where it is not this one. */
  readonly peers: readonly { readonly debianPackage: string; readonly program: string }[]
  version(): Promise<string>
  /** Lines of postgresql.conf that it needs. */
  readonly postgres: string
  /** Starts both servers and what watches over them; there is a database `shop` with a table `rows` then, and west streams. */
  begin(cluster: Cluster): Promise<void>
  /** How long each part of the way took, in ms from the failure at `failedMs`, where it says so. */
  phases?(cluster: Cluster, failedMs: number): Promise<Readonly<Record<string, number>>>
}

/** On the primary, once it takes writes. */
export async function makeTable({ primary }: Cluster): Promise<void> {
  await primary.sql('create database shop')
  await primary.sql('create table rows (id text primary key, at timestamptz not null default clock_timestamp())', 'shop')
}

/** Of a program that prints it, its first line. */
export function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? ''
}
